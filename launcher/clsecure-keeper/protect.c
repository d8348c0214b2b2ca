/*
 * ProtectPaths: what the owner's own programs would run is read-only inside, with every directory
 * above it made a mount of its own, so that none can be renamed away.  What is not there is not
 * made; that it appeared is a finding.
 */
#include "config.h"
#include "launcher/clsecure-keeper/show.h"
#include "lib/base/macros.h"
#include "lib/sandbox/findings.h"
#include "lib/sandbox/look.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>

#define LOOK_MS 3000

void strings_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

int strings_add(char ***list, char *text)
{
	char **room;
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	for (; *list && (*list)[n]; n++)
		if (streq((*list)[n], text)) {
			free(text);
			return 0;
		}
	room = reallocarray(*list, n + 2, sizeof(*room));
	if (!room) {
		free(text);
		return -ENOMEM;
	}
	room[n] = text;
	room[n + 1] = NULL;
	*list = room;
	return 0;
}

static char *join(const char *dir, const char *path)
{
	char *text;

	return asprintf(&text, "%s/%s", dir, path) < 0 ? NULL : text;
}

int protect_plan(const struct policy *p, struct show *s, struct error *e)
{
	const char *project = policy_path(p);
	size_t n = 0, length = strlen(project);
	char *const *list = policy_list(p, SETTING_PROTECT_PATHS, &n);
	int err = 0;

	for (size_t i = 0; err == 0 && i < n; i++) {
		const char *path = list[i];

		if (path[0] == '/' && strncmp(path, project, length) == 0 && path[length] == '/')
			path += length + 1;
		if (path[0] == '/')
			return error_set(e, -EINVAL, "ProtectPaths: '%s' is not in the project",
				path);
		err = strings_add(&s->patterns, strdup(path));
	}
	list = policy_list(p, SETTING_HIDE, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = strings_add(&s->hide,
			list[i][0] == '/' ? strdup(list[i]) : join(project, list[i]));
	return err < 0 ? error_errno(e, err, "cannot plan the sandbox") : 0;
}

/* Every directory between the tree and the path. */
static int pins_add(char ***pin, const char *tree, const char *path)
{
	int err = 0;

	for (const char *slash = strchr(path, '/'); err == 0 && slash;
		slash = strchr(slash + 1, '/')) {
		char *text;

		if (asprintf(&text, "%s/%.*s", tree, (int)(slash - path), path) < 0)
			return -ENOMEM;
		err = strings_add(pin, text);
	}
	return err;
}

static void finding(const struct keeper *k, const char *what, const char *path)
{
	char text[512];

	snprintf(text, sizeof(text), "'%.400s' %s", path, what);
	text_clean(text);
	syslog(LOG_NOTICE, "%s: %s", k->slug, text);
	findings_add(k->slug, text, NULL);
}

int protect_lists(struct keeper *k, struct show *s, const char *records, size_t size,
	struct error *e)
{
	const char *at = records, *path;
	enum look_kind kind;
	unsigned tree;
	int err = 0;

	k->before = malloc(size + 1);
	if (!k->before)
		return error_errno(e, -ENOMEM, "cannot plan the sandbox");
	memcpy(k->before, records ?: "", size);
	k->before_size = size;
	while (err == 0 && at &&
		(err = look_next(&at, records + size, &kind, &tree, &path)) > 0) {
		const char *root = tree < s->n ? s->items[tree].destination : NULL;

		err = 0;
		if (!root)
			return error_set(e, -EPROTO, "what is shown could not be looked through");
		if (kind == LOOK_PROTECT || kind == LOOK_SAMPLES)
			err = pins_add(&s->pin, root, path)
				?: strings_add(&s->protect, join(root, path));
		if (kind == LOOK_SOCKET) {
			err = strings_add(&s->cover, join(root, path));
			finding(k, "is a socket: it was covered inside", path);
		}
		if (kind == LOOK_NAMES)
			finding(k,
				"has another name (a hard link), by which it can be changed: make "
				"it a file of its own",
				path);
		if (kind == LOOK_SHORT)
			finding(k, "is too large to be searched for sockets", root);
	}
	return err < 0 ? error_errno(e, err, "cannot plan the sandbox") : 0;
}

struct again {
	const char *path;
	char *const *patterns;
	size_t n;
};

static int look_again(void *arg, struct person_out *out, struct error *e)
{
	const struct again *a = arg;
	_cleanup_close_ int fd = -1;
	int err = person_open(a->path, O_RDONLY, S_IFDIR, false, &fd, e);

	/* Few, and so not lost behind many others. */
	if (err == 0)
		err = look_git(fd, 0, out);
	return err < 0 ? err : look_protected(fd, 0, a->patterns, a->n, NULL, out);
}

static bool was_there(const struct keeper *k, enum look_kind kind, const char *path)
{
	const char *at = k->before, *old;
	enum look_kind old_kind;
	unsigned tree;

	while (at && look_next(&at, k->before + k->before_size, &old_kind, &tree, &old) > 0)
		if (tree == 0 && streq(old, path) &&
		    (old_kind == kind || (kind == LOOK_PROTECT && old_kind == LOOK_SAMPLES)))
			return true;
	return false;
}

static int compare(const struct keeper *k, const char *records, size_t size)
{
	const char *at = records, *path;
	enum look_kind kind;
	unsigned tree;
	int err = 0;

	while (at && (err = look_next(&at, records + size, &kind, &tree, &path)) > 0) {
		if (kind == LOOK_SAMPLES || was_there(k, kind, path))
			continue;
		finding(k,
			kind == LOOK_GIT
				? "is new in .git: git would run it, look before you use git"
				: "appeared: your programs would run it, look first",
			path);
	}
	return err;
}

void findings_compare(struct keeper *k)
{
	_cleanup_(person_reply_done) struct person_reply r = {0};
	_cleanup_(show_done) struct show s = {0};
	struct again a = {.path = policy_path(k->policy)};
	struct error e = {0};
	int err = protect_plan(k->policy, &s, &e);

	while (s.patterns && s.patterns[a.n])
		a.n++;
	a.patterns = s.patterns;
	if (err == 0)
		err = as_person(policy_owner(k->policy), look_again, &a, -1, LOOK_MS, &r, &e);
	if (err == 0)
		err = r.result < 0 ? r.result : compare(k, r.data, r.size);
	if (err < 0)
		finding(k, "could not be looked through when its sessions ended", a.path);
}
