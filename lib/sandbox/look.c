#include "config.h"
#include "lib/sandbox/look.h"
#include "lib/base/macros.h"
#include "lib/sandbox/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <sys/stat.h>

#define DEPTH_MAX 100
#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

struct walk {
	unsigned tree;
	uint64_t deadline;
	dev_t device;
	bool deep; /* something was too deep to be looked at */
	struct person_out *out;
	struct links *links; /* or NULL */
	char path[PATH_MAX];
};

int look_answer(struct person_out *out, enum look_kind kind, unsigned tree, const char *path)
{
	char record[PATH_MAX + 32];
	int n = snprintf(record, sizeof(record), "%c%u\t%s", (char)kind, tree, path);

	if (n < 0 || (size_t)n >= sizeof(record))
		return -ENAMETOOLONG;
	return person_answer(out, record, (size_t)n + 1);
}

int look_next(const char **at, const char *end, enum look_kind *ret_kind, unsigned *ret_tree,
	const char **ret_path)
{
	const char *record = *at, *tab;
	size_t n;

	if (record == end)
		return 0;
	n = strnlen(record, (size_t)(end - record));
	tab = memchr(record, '\t', n);
	if (!tab || record + n == end)
		return -EPROTO;
	*ret_kind = (enum look_kind)record[0];
	*ret_tree = (unsigned)strtoul(record + 1, NULL, 10);
	*ret_path = tab + 1;
	*at = record + n + 1;
	return 1;
}

/* path + "/" + name, with its old length to go back to. */
static bool path_push(char path[static PATH_MAX], const char *name, size_t *ret_before)
{
	size_t before = strlen(path), n = strlen(name);

	if (before + n + 2 > PATH_MAX)
		return false;
	*ret_before = before;
	if (before > 0)
		path[before++] = '/';
	memcpy(path + before, name, n + 1);
	return true;
}

/* git puts samples into every new repository; they never run. */
static bool samples_only(int dir, const char *name)
{
	int fd = streq(name, "hooks") ? openat(dir, name, OPEN_DIR) : -1;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	bool only = d != NULL;
	struct dirent *e;

	errno = 0;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && fnmatch("*.sample", e->d_name, 0) != 0)
			only = false;
	if (errno != 0)
		only = false;
	if (d)
		closedir(d);
	return only;
}

static int link_answer(struct walk *w, int dir, const char *name)
{
	char text[2 * PATH_MAX + 8], target[PATH_MAX];
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	snprintf(text, sizeof(text), "%s -> %s", w->path, target);
	text[PATH_MAX - 1] = '\0';
	return look_answer(w->out, LOOK_LINK, w->tree, text);
}

/* All else may be there, unseen: then it would not be protected. */
static bool not_there(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

static int protected_entry(struct walk *w, int dir, const char *name)
{
	struct stat st;
	size_t before;
	int err = 0;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return not_there(errno) ? 0 : -errno;
	if (!path_push(w->path, name, &before))
		return -ENAMETOOLONG;
	if (S_ISLNK(st.st_mode))
		err = link_answer(w, dir, name);
	else if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		err = look_answer(w->out, samples_only(dir, name) ? LOOK_SAMPLES : LOOK_PROTECT,
			      w->tree, w->path)
			?: links_collect(w->links, dir, name, w->path);
	w->path[before] = '\0';
	return err;
}

static int expand(struct walk *w, int dir, const char *pattern);

static int expand_into(struct walk *w, int dir, const char *name, const char *rest)
{
	_cleanup_close_ int fd = -1;
	size_t before;
	int err;

	if (!rest)
		return protected_entry(w, dir, name);
	fd = openat(dir, name, OPEN_DIR);
	if (fd < 0 && errno == ENOENT)
		return 0;
	/* A link in the way: what the person's programs would read lies behind it.  So it does behind
	 * what is shut: the worker could open that, as its owner. */
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR || errno == EACCES))
		return protected_entry(w, dir, name);
	if (fd < 0)
		return -errno;
	if (!path_push(w->path, name, &before))
		return -ENAMETOOLONG;
	err = expand(w, fd, rest);
	w->path[before] = '\0';
	return err == -EACCES ? protected_entry(w, dir, name) : err;
}

static int expand_glob(struct walk *w, int dir, const char *glob, const char *rest)
{
	int fd = openat(dir, ".", OPEN_DIR), err = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		err = -errno;
		closep(&fd);
		return err;
	}
	while (err == 0 && (errno = 0, e = readdir(d)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, "..") &&
			fnmatch(glob, e->d_name, FNM_PERIOD) == 0)
			err = expand_into(w, dir, e->d_name, rest);
	if (err == 0 && errno != 0)
		err = -errno;
	closedir(d);
	return err;
}

static int expand(struct walk *w, int dir, const char *pattern)
{
	char name[NAME_MAX + 1];
	size_t n;

	pattern += strspn(pattern, "/");
	n = strcspn(pattern, "/");
	if (n == 0 || n > NAME_MAX)
		return 0;
	memcpy(name, pattern, n);
	name[n] = '\0';
	pattern += n;
	pattern += strspn(pattern, "/");
	if (streq(name, "..") || streq(name, "."))
		return 0;
	if (name[strcspn(name, "*?[")] != '\0')
		return expand_glob(w, dir, name, *pattern ? pattern : NULL);
	return expand_into(w, dir, name, *pattern ? pattern : NULL);
}

/*
 * A .git that is a file says where git finds its configuration and hooks; so does one that has a
 * commondir, which only the directories of linked worktrees have.
 */
static int git_elsewhere(struct walk *w, int dir)
{
	struct stat st;

	if (fstatat(dir, ".git", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return not_there(errno) ? 0 : -errno;
	return S_ISDIR(st.st_mode) ? expand(w, dir, ".git/commondir")
				   : protected_entry(w, dir, ".git");
}

int look_protected(int dir, unsigned tree, char *const *patterns, size_t n, struct links *links,
	struct person_out *out)
{
	struct walk w = {.tree = tree, .links = links, .out = out};
	int err = git_elsewhere(&w, dir);

	if (err == 0)
		err = expand(&w, dir, ".git/modules/*/hooks");
	for (size_t i = 0; err == 0 && i < n; i++)
		err = expand(&w, dir, patterns[i]);
	return err;
}

static int walk(struct walk *w, int fd, unsigned depth);

/* Not a directory's own reason to stay shut. */
static bool no_resources(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == EPERM ||
	       error == EIO;
}

static int walk_entry(struct walk *w, int dir, const struct dirent *e, unsigned depth)
{
	size_t before;
	int err = 0;

	if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
		!path_push(w->path, e->d_name, &before))
		return 0;
	if (links_have(w->links, dir, e))
		err = look_answer(w->out, LOOK_PROTECT, w->tree, w->path);
	else if (e->d_type == DT_SOCK)
		err = look_answer(w->out, LOOK_SOCKET, w->tree, w->path);
	else if (e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) {
		int fd = openat(dir, e->d_name, OPEN_DIR);
		struct stat st;

		if (fd >= 0)
			err = walk(w, fd, depth + 1);
		else if (no_resources(errno))
			err = -errno;
		else if (e->d_type == DT_UNKNOWN &&
			fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISSOCK(st.st_mode))
			err = look_answer(w->out, LOOK_SOCKET, w->tree, w->path);
	}
	w->path[before] = '\0';
	return err;
}

/* Takes fd. */
static int walk(struct walk *w, int fd, unsigned depth)
{
	struct dirent *e;
	struct stat st;
	int err = 0;
	DIR *d;

	errno = 0;
	if (depth > DEPTH_MAX || fstat(fd, &st) < 0 || st.st_dev != w->device ||
		!(d = fdopendir(fd))) {
		w->deep |= depth > DEPTH_MAX;
		err = no_resources(errno) ? -errno : 0;
		close(fd);
		return err;
	}
	while (err == 0 && (errno = 0, e = readdir(d)))
		err = walk_entry(w, fd, e, depth);
	if (err == 0 && errno != 0)
		err = -errno;
	closedir(d);
	if (err == 0 && now_ms() > w->deadline)
		err = -ETIME;
	return err;
}

int look_sockets(int dir, unsigned tree, uint64_t deadline, struct links *links,
	struct person_out *out)
{
	struct walk w = {.tree = tree, .deadline = deadline, .links = links, .out = out};
	int fd = openat(dir, ".", OPEN_DIR), err;
	struct stat st;

	if (fd < 0) /* a file, or not to be listed: nothing below it */
		return no_resources(errno) ? -errno : 0;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	w.device = st.st_dev;
	err = walk(&w, fd, 0);
	if (err == -ETIME || (err == 0 && w.deep))
		err = look_answer(out, LOOK_SHORT, tree, ".");
	return err == 0 && links ? links_answer(links, tree, out) : err;
}
