/*
 * add: a directory becomes a project.  What the peer says about the directory is looked at again,
 * as the person who is to own the project, and so are her settings.  Then the registry's lock is
 * held from the first look at other projects to the end, so that two adds cannot both find the
 * place free; nothing is done as a person under it, because she could stop it.
 */
#include "config.h"
#include "launcher/clsecure-keys/keyusers.h"
#include "launcher/clsecured/bypath.h"
#include "launcher/clsecured/doubts.h"
#include "launcher/clsecured/pending.h"
#include "launcher/clsecured/place.h"
#include "launcher/clsecured/projects.h"
#include "launcher/clsecured/slice.h"
#include "lib/sandbox/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define LOOK_MS 5000 /* a dead network file system is no project */

struct adding {
	const char *path;
	struct person owner;
	bool of_root; /* the directory */
	char slug[SLUG_MAX + 1];
	char **assignments; /* owned array of borrowed strings */
	char outer[SLUG_MAX + 1], inner[SLUG_MAX + 1]; /* the owner's too; or "" */
	struct project_new new;
	struct registry lock;
};

static void adding_done(struct adding *a)
{
	person_done(&a->owner);
	project_new_done(&a->new);
	free(a->assignments);
	registry_unlock(&a->lock);
}

/* As a person: whose is the directory?  Opened for what it will be used as, by its real path. */
static int look(void *arg, struct person_out *out, struct error *e)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err = person_open(arg, O_RDONLY | O_DIRECTORY, S_IFDIR, false, &fd, e);

	if (err < 0)
		return err;
	if (fstat(fd, &st) < 0)
		return error_errno(e, -errno, "look at '%s'", (char *)arg);
	return person_answer(out, &st.st_uid, sizeof(st.st_uid));
}

static int owner_of(const struct person *as, const char *path, uid_t *ret_uid, struct error *e)
{
	_cleanup_(person_reply_done) struct person_reply reply = {0};
	int err = as_person(as, look, (void *)path, -1, LOOK_MS, &reply, e);

	if (err < 0)
		return err;
	if (reply.result < 0)
		return error_set(e, reply.result, "%s", reply.error.text);
	if (reply.size != sizeof(*ret_uid))
		return error_set(e, -EPROTO, "look at '%s'", path);
	memcpy(ret_uid, reply.data, sizeof(*ret_uid));
	return 0;
}

/*
 * The peer owns it; root may add for the owner, and what is root's own if he says yes.  A person
 * who had a directory of root's would keep everybody else's below it from becoming projects.
 */
static int find_owner(struct request *r, struct adding *a, struct error *e)
{
	uid_t uid = 0, again = 0;
	int err = owner_of(&r->who, a->path, &uid, e);

	if (err < 0)
		return err;
	a->of_root = uid == 0;
	if (uid != r->who.uid && !r->admin)
		return error_set(e, -EPERM, "'%s' does not belong to you%s", a->path,
			uid == 0 ? ", but to root, who alone can add it" : "");
	err = person_by_uid(uid != 0 ? uid : r->who.uid, &a->owner, e);
	if (err < 0 || a->owner.uid == r->who.uid)
		return err;
	err = owner_of(&a->owner, a->path, &again, e);
	return err == 0 && again != uid
		? error_set(e, -EAGAIN, "'%s' was changed meanwhile", a->path)
		: err;
}

/* The last check: nobody is asked about what is refused anyway. */
static int check_yes(struct request *r, const struct adding *a, struct error *e)
{
	if (!a->of_root || message_is(r->m, "yes", "1"))
		return 0;
	remedy_set(r,
		"--yes adds it all the same: its files that root owns stay read-only inside.");
	return error_set(e, -ENOTUNIQ, "'%s' belongs to root", a->path);
}

static int check_allowed(struct request *r, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	uint64_t allowed;
	int err = admin_setting(SETTING_ALLOW_ADD, &allowed, &text, e);

	if (err < 0 || r->admin || allowed)
		return err;
	return error_set(e, -EPERM,
		"the administrator does not let people add projects (AllowAdd=no)");
}

/* What no idmapped mount can be made of would be read-only inside, or somebody else's. */
static int check_mapping(const struct adding *a, struct error *e)
{
	int err = idmap_probe(a->path, &a->owner, e);

	return err < 0 ? (e->code = -EPERM) : 0; /* of the directory, not of what was typed */
}

struct others {
	struct adding *a;
	struct error *e;
	uint64_t owned; /* by the owner-to-be */
};

/* The project that has or had this path or one above or below: is the place free of it? */
static int check_place(struct adding *a, const char *slug, struct error *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	const char *other;
	bool own;

	if (policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) < 0)
		return 0;
	other = policy_path(p);
	own = policy_owner(p)->uid == a->owner.uid;
	if (own && streq(other, a->path))
		return error_set(e, -EEXIST, "'%s' is project '%s' already", a->path, slug);
	if (!own && path_within(a->path, other))
		return error_set(e, -EPERM, "'%s' is inside a project of another person", a->path);
	if (!own && path_within(other, a->path))
		return error_set(e, -EPERM, "'%s' has a project of another person in it", a->path);
	if (path_within(a->path, other))
		snprintf(a->outer, sizeof(a->outer), "%s", slug);
	else if (path_within(other, a->path))
		snprintf(a->inner, sizeof(a->inner), "%s", slug);
	return 0;
}

static int check_other(const struct bypath *b, void *arg)
{
	struct others *o = arg;

	o->owned += b->owner == o->a->owner.uid;
	return path_within(o->a->path, b->path) || path_within(b->path, o->a->path)
		? check_place(o->a, b->slug, o->e)
		: 0;
}

/* Not the ones whose owner had the uid before. */
static int count_own(const struct bypath *b, void *arg)
{
	struct others *o = arg;
	_cleanup_policy_ struct policy *p = NULL;

	if (b->owner == o->a->owner.uid &&
		policy_load(b->slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) == 0)
		o->owned++;
	return 0;
}

/* Among other projects: is the place free, is the person's number used up? */
static int check_others(struct request *r, struct adding *a, struct error *e)
{
	struct others o = {.a = a, .e = e};
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int dir = -1;
	uint64_t max = 0;
	int err = bypath_open(&a->lock, &dir, e);

	if (err == 0)
		err = admin_setting(SETTING_MAX_PROJECTS, &max, &text, e);
	if (err == 0)
		err = bypath_each(dir, check_other, &o);
	if (err < 0 || r->admin || o.owned < max)
		return err;
	o.owned = 0;
	err = bypath_each(dir, count_own, &o);
	return err == 0 && o.owned >= max
		? error_set(e, -EDQUOT,
			  "you have %llu projects, and more are not allowed (MaxProjects)",
			  (unsigned long long)o.owned)
		: err;
}

static bool taken(const char *slug)
{
	char name[WORKER_NAME_MAX + 1];
	struct record record;

	worker_name(slug, name);
	return record_by_name(REGISTRY_DIR, name, &record) != -ENOENT;
}

static int choose_name(struct request *r, struct adding *a, struct error *e)
{
	const char *name = message_get(r->m, "name");

	if (name && (!slug_valid(name) || slug_reserved(name)))
		return error_set(e, -EINVAL,
			slug_valid(name)
				? "'%s' is a command, and no name of a project"
				: "'%s' is no name: a-z, 0-9 and -, at most 17, not - first",
			name);
	if (name && taken(name))
		return error_set(e, -EEXIST, "the name '%s' is taken", name);
	if (name) {
		snprintf(a->slug, sizeof(a->slug), "%s", name);
		return 0;
	}
	slug_of_path(a->path, SLUG_PLAIN, a->slug);
	if (!slug_needs_hash(a->path) && !taken(a->slug))
		return 0;
	slug_of_path(a->path, SLUG_HASHED, a->slug);
	if (!taken(a->slug))
		return 0;
	remedy_set(r, "--name NAME gives another.");
	return error_set(e, -EEXIST, "the name '%s' is taken", a->slug);
}

static int create(struct adding *a, struct error *e)
{
	struct record record;
	_cleanup_close_ int dir = -1;
	int err = bypath_open(&a->lock, &dir, e);

	if (err == 0)
		err = bypath_put(dir, a->slug, a->owner.uid, a->path, e);
	if (err == 0)
		err = registry_add(&a->lock, a->slug, a->owner.uid, a->path, &record, e);
	if (err == 0)
		err = slice_keep(record.uid, e);
	if (err == 0) {
		a->new.slug = a->slug;
		a->new.worker_uid = record.uid;
		err = project_create(&a->new, e);
	}
	if (err == 0)
		err = pending_clear(a->slug, e);
	if (err < 0)
		project_remove(&a->lock, a->slug, a->owner.uid, a->path, NULL);
	if (err < 0)
		projects_sweep(NULL);
	return err;
}

static int add_locked(struct request *r, struct adding *a, struct error *e)
{
	int err = registry_lock(REGISTRY_STATE, &a->lock, e);

	if (err == -ENOENT)
		remedy_set(r, "sudo clsecure setup");
	if (err == 0)
		err = pending_repair(&a->lock, e);
	if (err == 0)
		err = check_others(r, a, e);
	if (err == 0)
		err = choose_name(r, a, e);
	if (err == 0)
		err = check_yes(r, a, e);
	if (err == 0)
		err = pending_mark(a->slug, a->owner.uid, a->path, e);
	return err < 0 ? err : create(a, e);
}

static int prepare(struct request *r, struct adding *a, struct error *e)
{
	a->new = (struct project_new){.path = a->path,
		.owner = &a->owner,
		.assignments = a->assignments,
		.admin = r->admin};
	return project_prepare(&a->new, e);
}

/* Of projects in one another each has its own worker, and the outer's reaches into the inner. */
static void tell_nested(struct request *r, const struct adding *a)
{
	if (*a->outer)
		(void)note(r, "'%s' is inside project '%s', whose sandbox shows it too", a->path,
			a->outer);
	if (*a->inner)
		(void)note(r, "'%s' has project '%s' in it, and its sandbox will show that too",
			a->path, a->inner);
}

static int answer(struct request *r, const struct adding *a)
{
	_cleanup_message_ struct message m = {0};
	char user[WORKER_NAME_MAX + 1];
	int err;

	keyusers_project(a->slug);
	tell_nested(r, a);
	doubts_tell(r, a->slug, a->assignments);
	worker_name(a->slug, user);
	err = message_add(&m, "project", a->slug);
	if (err == 0)
		err = message_add(&m, "user", user);
	if (err == 0)
		err = message_add(&m, "path", a->path);
	return err < 0 ? err : reply(r, "row", &m);
}

/* What is refused of a directory whatever other projects there are. */
static int check_directory(struct request *r, struct adding *a, struct error *e)
{
	int err = project_path_check(a->path, e);

	if (err == 0)
		err = check_allowed(r, e);
	if (err == 0)
		err = find_owner(r, a, e);
	if (err == 0)
		err = place_allowed(a->path, a->owner.home, e);
	return err < 0 ? err : check_mapping(a, e);
}

void add_hint(struct request *r, const char *path)
{
	_cleanup_(adding_done) struct adding a = {.path = path, .lock = REGISTRY_EMPTY};
	struct error why = {0};
	int err = check_directory(r, &a, &why);

	if (err == 0)
		remedy_set(r, "clsecure add '%s' makes one.", path);
	else
		remedy_set(r, "It cannot become one: %s.", why.text);
}

int op_add(struct request *r, struct error *e)
{
	_cleanup_(adding_done) struct adding a = {
		.path = message_get(r->m, "path"), .lock = REGISTRY_EMPTY};
	int err;

	a.assignments = message_list(r->m, "setting", NULL);
	if (!a.path || !a.assignments)
		return error_set(e, -EBADMSG, "the request names no directory");
	err = check_directory(r, &a, e);
	if (err == 0)
		err = prepare(r, &a, e);
	if (err == 0)
		err = add_locked(r, &a, e);
	if (err < 0)
		return err;
	registry_unlock(&a.lock);
	(void)projects_sweep(NULL); /* of a remove that was killed */
	return answer(r, &a);
}
