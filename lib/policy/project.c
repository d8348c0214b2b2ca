/*
 * Projects made, changed and removed.
 *
 * A project is there when its directory has its name: it is made under another (".new-NAME") and
 * renamed when it is whole and on the disk; it is renamed (".old-NAME.N") before it is removed,
 * which takes its time and no lock.  What is left of one that was killed has a name that no project
 * can have, and is removed by the next.
 */
#include "config.h"
#include "lib/policy/effective.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/policy/domains.h"
#include "lib/policy/paths.h"
#include "lib/policy/tree.h"
#include "lib/policy/words.h"

#define HOME "home"
#define LOG "log"
#define HOME_NEW ".home.new"
#define NEW ".new-"
#define NAME_ROOM (SLUG_MAX + 8)
#define OLD ".old-"
#define OLD_NAME_ROOM (SLUG_MAX + 24)

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec;
}

/* The weaker value that += and -= begin with where project.conf says nothing. */
static int weaker_value(const struct stack *k, enum setting s, struct value *ret_value,
	struct error *e)
{
	static const bool by_admin[SETTING_COUNT_];
	_cleanup_(effective_done) struct effective f = {0};
	struct stack quiet = *k;
	int err;

	quiet.warnings = NULL;
	quiet.n_warnings = 0;
	quiet.layers[SOURCE_PROJECT] = (struct layer){.file = quiet.layers[SOURCE_PROJECT].file};
	err = stack_merge(&quiet, by_admin, &f, e);
	words_free(quiet.warnings);
	if (err < 0)
		return err;
	err = value_copy(&f.values[s], ret_value);
	return err < 0 ? error_errno(e, err, "%s=", settings[s].key) : 0;
}

static int apply_one(struct stack *k, struct project_file *f, const struct assignment *a,
	bool admin, struct error *e)
{
	struct layer *l = &k->layers[SOURCE_PROJECT];
	_cleanup_(value_done) struct value weaker = {0};
	int err = 0;

	if (a->op == ASSIGN_ADD || a->op == ASSIGN_REMOVE)
		err = weaker_value(k, a->setting, &weaker, e);
	if (err == 0)
		err = layer_apply(l, a, &weaker, e);
	if (err == 0 && !admin)
		err = stack_check_limit(k, l, a->setting, e);
	if (err == 0)
		f->by_admin[a->setting] = admin && a->op != ASSIGN_RESET;
	return err == -ENOENT ? -EINVAL : err;
}

/* Checks all and changes the stack's project layer; nothing is written. */
static int apply_all(struct stack *k, struct project_file *f, const struct person *owner,
	char *const *assignments, bool admin, struct error *e)
{
	bool persons = false, binds = false;
	struct layer *l = &k->layers[SOURCE_PROJECT];

	for (; assignments && *assignments; assignments++) {
		_cleanup_(assignment_done) struct assignment a = {0};
		int err = assignment_parse(*assignments, SOURCE_PROJECT, admin, &a, e);

		/* The person's files are asked only where they count. */
		if (err == 0 && (a.op == ASSIGN_ADD || a.op == ASSIGN_REMOVE) && !persons) {
			err = load_persons(k, owner, f->path, e);
			persons = true;
		}
		if (err == 0)
			err = apply_one(k, f, &a, admin, e);
		if (err < 0)
			return err;
		if ((a.setting == SETTING_ALLOW_DOMAINS || a.setting == SETTING_DENY_DOMAINS) &&
			a.op != ASSIGN_REMOVE)
			err = domains_check(&a.value, e);
		if (err < 0)
			return err;
		binds |= a.setting == SETTING_BIND || a.setting == SETTING_BIND_READ_ONLY;
	}
	return binds ? binds_check(l, owner, f->path, e) : 0;
}

/* The profile that was named must be there and be right. */
static int check_profile(const struct layer *l, struct error *e)
{
	const struct entry *entry = &l->entries[SETTING_PROFILE];
	_cleanup_(stack_done) struct stack k = {0};

	if (!entry->set || !*entry->value.text)
		return 0;
	return load_profile(&k, entry->value.text, e);
}

static int make_home(int project, const char *name, uid_t worker, struct error *e)
{
	_cleanup_close_ int fd = -1;

	if (mkdirat(project, name, 0700) < 0)
		return error_errno(e, -errno, "make the worker's home");
	fd = openat(project, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, worker, (gid_t)worker) < 0 || fchmod(fd, 0700) < 0 ||
		fsync(fd) < 0)
		return error_errno(e, -errno, "make the worker's home");
	return 0;
}

/* A project in the directory `name`, which nobody looks into yet. */
static int make_project(int projects, const char *name, const struct project_new *n,
	struct error *e)
{
	_cleanup_close_ int fd = -1;
	int err;

	if (mkdirat(projects, name, 0700) < 0)
		return error_errno(e, -errno, "make the directory of '%s'", n->slug);
	fd = openat(projects, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(e, -errno, "open the directory of '%s'", n->slug);
	err = make_home(fd, HOME, n->worker_uid, e);
	if (err < 0)
		return err;
	if (mkdirat(fd, LOG, 0700) < 0)
		return error_errno(e, -errno, "make the log's directory of '%s'", n->slug);
	return project_file_save(fd, n->file, e);
}

void project_new_done(struct project_new *n)
{
	project_file_freep(&n->file);
	n->file = NULL;
}

int project_path_check(const char *path, struct error *e)
{
	char shown[128];

	if (!text_valid(path)) {
		text_escape(path, shown, sizeof(shown));
		return error_set(e, -EINVAL,
			"a path with a control character, or not in UTF-8, cannot be a project: "
			"'%s'",
			shown);
	}
	if (!path_normal(path, false, false) || strlen(path) >= PATH_MAX)
		return error_set(e, -EINVAL, "'%s' is not an absolute path in its plain form",
			path);
	return 0;
}

int project_prepare(struct project_new *n, struct error *e)
{
	_cleanup_(project_file_freep) struct project_file *f = calloc(1, sizeof(*f));
	_cleanup_(stack_done) struct stack k = {0};
	int err = project_path_check(n->path, e);

	if (err < 0)
		return err;
	if (!f)
		return error_errno(e, -ENOMEM, "add '%s'", n->path);
	f->path = strdup(n->path);
	if (!f->path || layer_init(&f->layer, SOURCE_PROJECT, PROJECT_CONF) < 0)
		return error_errno(e, -ENOMEM, "add '%s'", n->path);
	f->owner = n->owner->uid;
	strcpy(f->owner_name, n->owner->name);
	f->created = f->changed = now();
	err = stack_load_trusted(&k, f, e);
	if (err == 0)
		err = apply_all(&k, f, n->owner, n->assignments, n->admin, e);
	f->layer = k.layers[SOURCE_PROJECT];
	k.layers[SOURCE_PROJECT] = (struct layer){0};
	if (err == 0)
		err = check_profile(&f->layer, e);
	if (err == 0)
		n->file = TAKE_PTR(f);
	return err;
}

int project_create(const struct project_new *n, struct error *e)
{
	_cleanup_close_ int projects = -1;
	char name[NAME_ROOM];
	int err;

	if (!slug_valid(n->slug) || slug_reserved(n->slug))
		return error_set(e, -EINVAL, "'%s' cannot be a project's name", n->slug);
	if (mkdir(policy_paths()->projects, 0700) < 0 && errno != EEXIST)
		return error_errno(e, -errno, "make '%s'", policy_paths()->projects);
	err = projects_open(true, &projects, e);
	if (err < 0)
		return err;
	if (faccessat(projects, n->slug, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(e, -EEXIST, "there is a project '%s' already", n->slug);
	snprintf(name, sizeof(name), NEW "%s", n->slug);
	err = tree_remove(projects, name, e); /* of one that was killed */
	if (err == 0)
		err = make_project(projects, name, n, e);
	if (err == 0 && renameat2(projects, name, projects, n->slug, RENAME_NOREPLACE) < 0)
		err = error_errno(e, -errno, "add '%s'", n->slug);
	if (err < 0) {
		tree_remove(projects, name, NULL);
		return err;
	}
	if (fsync(projects) < 0)
		return error_errno(e, -errno, "add '%s'", n->slug);
	return 0;
}

/* Which settings changed their effective value and are not live. */
static int find_waits(struct stack *before, const bool admin_before[], struct stack *after,
	const bool admin_after[], bool ret_waits[SETTING_COUNT_], struct error *e)
{
	_cleanup_(effective_done) struct effective a = {0}, b = {0};
	int err = stack_merge(before, admin_before, &a, e);

	if (err == 0)
		err = stack_merge(after, admin_after, &b, e);
	if (err < 0)
		return err;
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		ret_waits[s] = !settings[s].live && !value_equal(&a.values[s], &b.values[s]);
	return 0;
}

/* Loads both files' stacks: the one is changed, the other is what was. */
static int load_twice(int project, const char *slug, struct project_file f[2], struct stack k[2],
	struct error *e)
{
	for (int i = 0; i < 2; i++) {
		int err = project_file_load(project, slug, &f[i], e);

		if (err == 0)
			err = stack_load_trusted(&k[i], &f[i], e);
		if (err < 0)
			return err;
	}
	return 0;
}

/*
 * Writers of one project wait for each other, and for nobody else's: what a person's files make of
 * a change is hers to delay.  The directory itself is a sweep's to lock.
 */
static int lock_project(int project, int *ret_fd, struct error *e)
{
	_cleanup_close_ int fd =
		openat(project, LOG, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0)
		return error_errno(e, -errno, "open the log's directory");
	err = lock_wait(fd, e);
	if (err == 0)
		*ret_fd = TAKE_FD(fd);
	return err;
}

static int change(int project, struct project_file f[2], struct stack k[2],
	char *const *assignments, bool admin, bool ret_waits[SETTING_COUNT_], struct error *e)
{
	_cleanup_(person_done) struct person owner = {0};
	_cleanup_(stack_done) struct stack after = {0};
	int err = owner_find(&f[1], false, &owner, e);

	if (err == 0)
		err = apply_all(&k[1], &f[1], &owner, assignments, admin, e);
	if (err < 0)
		return err;
	f[1].changed = now();
	f[1].layer = k[1].layers[SOURCE_PROJECT];
	k[1].layers[SOURCE_PROJECT] = (struct layer){0};
	err = check_profile(&f[1].layer, e);
	if (err == 0)
		err = project_file_save(project, &f[1], e);
	if (err < 0)
		return err;
	/* What it now comes to, with the profile that it may have changed. */
	err = stack_load_trusted(&after, &f[1], e);
	if (err == 0 && ret_waits)
		err = find_waits(&k[0], f[0].by_admin, &after, f[1].by_admin, ret_waits, e);
	return err;
}

int project_change(const char *slug, uid_t owner, char *const *assignments, bool admin,
	bool ret_waits[SETTING_COUNT_], struct error *e)
{
	struct project_file f[2] = {0};
	struct stack k[2] = {0};
	_cleanup_close_ int projects = -1, project = -1, lock = -1;
	int err = projects_open(false, &projects, e);

	if (err == 0)
		err = project_open(projects, slug, &project, e);
	if (err == 0)
		err = lock_project(project, &lock, e);
	if (err == 0)
		err = load_twice(project, slug, f, k, e);
	if (err == 0 && f[0].owner != owner)
		err = error_set(e, -EAGAIN, "'%s' became another person's meanwhile", slug);
	if (err == 0)
		err = change(project, f, k, assignments, admin, ret_waits, e);
	for (int i = 0; i < 2; i++) {
		project_file_done(&f[i]);
		stack_done(&k[i]);
	}
	return err;
}

int project_destroy(const char *slug, struct error *e)
{
	_cleanup_close_ int projects = -1;
	char name[OLD_NAME_ROOM];
	int err;

	if (!slug_valid(slug))
		return error_set(e, -ENOENT, "there is no project '%s'", slug);
	err = projects_open(true, &projects, e);
	if (err < 0)
		return err;
	snprintf(name, sizeof(name), NEW "%s", slug); /* of an add that was killed */
	err = tree_remove(projects, name, e);
	if (err < 0)
		return err;
	for (unsigned n = 0;; n++) {
		snprintf(name, sizeof(name), OLD "%s.%u", slug, n);
		if (renameat2(projects, slug, projects, name, RENAME_NOREPLACE) == 0)
			break;
		if (errno == ENOENT)
			return error_set(e, -ENOENT, "there is no project '%s'", slug);
		if (errno != EEXIST) /* one before it is still being removed */
			return error_errno(e, -errno, "remove '%s'", slug);
	}
	return fsync(projects) < 0 ? error_errno(e, -errno, "remove '%s'", slug) : 0;
}

/* Unless another sweep is at it. */
static int sweep_one(int projects, const char *name, struct error *e)
{
	_cleanup_close_ int fd = openat(projects, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(e, -errno, "open '%s'", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : error_errno(e, -errno, "lock '%s'", name);
	return tree_remove(projects, name, e);
}

int projects_sweep(struct error *e)
{
	_cleanup_close_ int projects = -1;
	int fd, err = projects_open(false, &projects, e);
	DIR *d;

	if (err < 0)
		return err;
	fd = openat(projects, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d) {
		closep(&fd);
		return error_errno(e, -ENOMEM, "read the projects' directory");
	}
	for (struct dirent *entry; err == 0 && (entry = readdir(d));)
		if (strncmp(entry->d_name, OLD, strlen(OLD)) == 0)
			err = sweep_one(projects, entry->d_name, e);
	closedir(d);
	return err;
}

int project_empty_home(const char *slug, uid_t worker_uid, struct error *e)
{
	_cleanup_close_ int projects = -1, project = -1;
	int err = projects_open(true, &projects, e);

	if (err == 0)
		err = project_open(projects, slug, &project, e);
	if (err == 0)
		err = tree_remove(project, HOME_NEW,
			e); /* of one that was killed, the old home perhaps */
	if (err == 0)
		err = make_home(project, HOME_NEW, worker_uid, e);
	if (err < 0)
		return err;
	if (renameat2(project, HOME_NEW, project, HOME, RENAME_EXCHANGE) < 0 &&
	    (errno != ENOENT || renameat2(project, HOME_NEW, project, HOME, RENAME_NOREPLACE) < 0))
		return error_errno(e, -errno, "empty the home of '%s'", slug);
	if (fsync(project) < 0)
		return error_errno(e, -errno, "empty the home of '%s'", slug);
	return tree_remove(project, HOME_NEW, e);
}
