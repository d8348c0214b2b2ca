#include "config.h"
#include "launcher/clsecured/projects.h"
#include "launcher/clsecured/bypath.h"
#include "launcher/clsecured/place.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#define SESSIONS_MAX 4096

void strv_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

struct collecting {
	char **list;
	size_t n, room;
};

static int collect(struct collecting *c, const char *slug)
{
	if (c->n + 2 > c->room) {
		size_t room = c->room ? c->room * 2 : 64;
		char **list = reallocarray(c->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		c->list = list;
		c->room = room;
	}
	c->list[c->n] = strdup(slug);
	if (!c->list[c->n])
		return -ENOMEM;
	c->list[++c->n] = NULL;
	return 0;
}

static int collect_record(const struct record *record, void *userdata)
{
	const char *slug = worker_slug(record->name);

	return slug ? collect(userdata, slug) : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int projects_list(char ***ret_slugs, struct error *e)
{
	struct collecting c = {0};
	int err = registry_foreach(REGISTRY_STATE, collect_record, &c);

	if (err == -ENOENT) /* not set up: nothing is there */
		err = 0;
	if (err == 0 && !c.list)
		c.list = calloc(1, sizeof(*c.list));
	if (err == 0 && !c.list)
		err = -ENOMEM;
	if (err < 0) {
		strv_free(c.list);
		return error_errno(e, err, "read the registry");
	}
	qsort(c.list, c.n, sizeof(*c.list), compare);
	*ret_slugs = c.list;
	return 0;
}

static bool may_see(const struct request *r, const struct policy *p)
{
	return r->admin || policy_may_enter(p, &r->who);
}

/* Is this what the request's directory belongs to? */
static bool is_at(const struct request *r, const char *slug, const char *path)
{
	_cleanup_policy_ struct policy *p = NULL;

	return policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) == 0 &&
		streq(policy_path(p), path) && may_see(r, p);
}

/* The nearest project at or above path. */
static int find_by_path(struct request *r, const char *path, char ret_slug[static SLUG_MAX + 1],
	struct error *e)
{
	_cleanup_close_ int dir = -1;
	char at[PATH_MAX];
	int err;

	if (!path_normal(path, false, false))
		return error_set(e, -EINVAL, "'%s' is not an absolute path in its plain form",
			path);
	err = bypath_open(NULL, &dir, e);
	snprintf(at, sizeof(at), "%s", path);
	while (err == 0 && *at) {
		err = bypath_get(dir, at, ret_slug);
		if (err == 0 && is_at(r, ret_slug, at))
			return 0;
		if (err < 0 && err != -ENOENT)
			return error_errno(e, err, "look for the project of '%s'", path);
		err = 0;
		*strrchr(at, '/') = '\0';
	}
	if (err < 0 && err != -ENOENT)
		return err;
	add_hint(r, path);
	return error_set(e, -ENOENT, "'%s' is in no project", path);
}

int project_named(struct request *r, char ret_slug[static SLUG_MAX + 1], struct error *e)
{
	const char *slug = message_get(r->m, "project"), *path = message_get(r->m, "path");

	if (!slug)
		return path ? find_by_path(r, path, ret_slug, e) :
			error_set(e, -EBADMSG, "the request names no project");
	if (!slug_valid(slug))
		return error_set(e, -EINVAL, "'%s' is no name of a project", slug);
	snprintf(ret_slug, SLUG_MAX + 1, "%s", slug);
	return 0;
}

int project_registered(struct request *r, const char *slug, uid_t *ret_worker, struct error *e)
{
	char name[WORKER_NAME_MAX + 1];
	struct record record;
	int err;

	worker_name(slug, name);
	err = record_by_name(REGISTRY_DIR, name, &record);
	if (err == -ENOENT) {
		remedy_set(r,
			"'clsecure list' shows those that there are; a PATH has a '/' in it.");
		return error_set(e, -ENOENT, "there is no project '%s'", slug);
	}
	if (err < 0)
		return error_errno(e, err, "read the registry for '%s'", slug);
	if (ret_worker)
		*ret_worker = record.uid;
	return 0;
}

static int check_right(const struct request *r, const struct policy *p, enum project_right right,
	bool overrides, struct error *e)
{
	bool owner = r->admin || policy_owner(p)->uid == r->who.uid;

	if (right == RIGHT_ENTER && !may_see(r, p))
		return error_set(e, -EACCES,
			"project '%s' is not yours, and you are not in its AllowUsers",
			policy_slug(p));
	if (right == RIGHT_CHANGE && !owner)
		return error_set(e, -EACCES, "project '%s' belongs to '%s'", policy_slug(p),
			policy_owner(p)->name);
	/*
	 * policy_load() takes them as the owner's words: a guest's Bind= would show the owner's own
	 * files.
	 */
	if (overrides && !owner)
		return error_set(e, -EACCES,
			"settings for one run are the owner's: project '%s' belongs to '%s'",
			policy_slug(p), policy_owner(p)->name);
	return 0;
}

int project_for(struct request *r, const char *slug, enum project_right right,
	char *const *overrides, unsigned flags, struct policy **ret_policy, struct error *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	bool run = overrides && overrides[0];
	int err;

	err = project_registered(r, slug, NULL, e);
	if (err < 0)
		return err;
	/* First by what root alone can write: a stranger makes nobody's files be read. */
	err = policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, e);
	if (err == 0)
		err = check_right(r, p, right, run, e);
	if (err == 0 && !(flags & POLICY_TRUSTED_ONLY)) {
		policy_free(TAKE_PTR(p));
		err = policy_load(slug, overrides, flags, &p, e);
		if (err == 0) /* the name may be another person's project by now */
			err = check_right(r, p, right, run, e);
	}
	if (err < 0)
		return err;
	*ret_policy = TAKE_PTR(p);
	return 0;
}

/* One more reply of a list on conn: status 1 means that it is one. */
static int next_session(int conn, struct keeper_reply *ret_reply, struct error *e)
{
	struct pollfd p = {.fd = conn, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, KEEPER_WAIT_MS) <= 0)
		return error_set(e, -ETIMEDOUT, "the sandbox's keeper does not answer");
	n = recv(conn, ret_reply, sizeof(*ret_reply), MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(*ret_reply))
		return error_set(e, -EPROTO, "the sandbox's keeper answers with what is no answer");
	return 0;
}

static int list_sessions(int conn, struct keeper_reply **ret_list, size_t *ret_n, struct error *e)
{
	struct keeper_request q = {.version = KEEPER_VERSION, .op = KEEPER_LIST};
	_cleanup_free_ struct keeper_reply *list = NULL;
	struct keeper_reply one;
	size_t n = 0;
	int err = keeper_call(conn, &q, &one, NULL, NULL, KEEPER_WAIT_MS, e);

	while (err == 0 && one.status == 1 && n < SESSIONS_MAX) {
		struct keeper_reply *more = reallocarray(list, n + 1, sizeof(*list));

		if (!more)
			return error_errno(e, -ENOMEM, "list sessions");
		list = more;
		list[n++] = one;
		err = next_session(conn, &one, e);
	}
	if (err < 0)
		return err;
	*ret_list = TAKE_PTR(list);
	*ret_n = n;
	return 0;
}

int project_sessions(const char *slug, struct keeper_reply **ret_list, size_t *ret_n,
	struct error *e)
{
	_cleanup_close_ int conn = -1;
	int err = keeper_connect(slug, false, NULL, KEEPER_WAIT_MS, &conn, e);

	if (err == -ENOENT) {
		*ret_list = NULL;
		*ret_n = 0;
		return 0;
	}
	return err < 0 ? err : list_sessions(conn, ret_list, ret_n, e);
}

bool project_runs(const char *slug)
{
	struct keeper_request q = {.op = KEEPER_COUNT};
	_cleanup_close_ int conn = -1;
	struct keeper_reply reply;

	return keeper_connect(slug, false, NULL, KEEPER_WAIT_MS, &conn, NULL) == 0 &&
		keeper_call(conn, &q, &reply, NULL, NULL, KEEPER_WAIT_MS, NULL) == 0;
}

int project_kill(const char *slug, uid_t worker, uint32_t session, struct error *e)
{
	struct keeper_request q = {.version = KEEPER_VERSION,
		.op = KEEPER_KILL,
		.session = session,
		.worker = worker};
	_cleanup_close_ int conn = -1;
	struct keeper_reply reply_;
	int err = keeper_connect(slug, false, NULL, KEEPER_WAIT_MS, &conn, e);

	if (err == -ENOENT)
		return session == 0
			? 0
			: error_set(e, -ESRCH, "there is no session '%s:%u'", slug, session);
	if (err == 0)
		err = keeper_call(conn, &q, &reply_, NULL, NULL, KEEPER_WAIT_MS, e);
	return err == -EPIPE || err == -ECONNRESET ? 0 : err; /* gone meanwhile: all the better */
}
