/*
 * The plan's steps, done by descriptors.  A destination is walked component by component from the
 * new root, never through a link; a directory is made only inside one of root's, so that nothing is
 * ever created in a person's or the worker's tree.
 */
#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/tree.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define COPY_MAX ((size_t)4 * 1024 * 1024)

/* The last component of the step's destination is made by the caller, in its parent. */
static int parent_of(int root, const char *destination, int *ret_dir, const char **ret_name)
{
	const char *slash = strrchr(destination, '/');
	char path[PATH_MAX];
	size_t n = (size_t)(slash - destination);

	if (n >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, destination, n);
	path[n] = '\0';
	*ret_name = slash + 1;
	return tree_mkdirs(root, path, ret_dir);
}

static int step_dir(int root, const struct plan_step *s)
{
	_cleanup_close_ int fd = -1;
	int err = tree_mkdirs(root, s->destination, &fd);

	if (err < 0 || s->mode == 0755)
		return err;
	return fchmodat(fd, ".", s->mode, 0) < 0 ? -errno : 0;
}

static int step_link(int root, const struct plan_step *s)
{
	_cleanup_close_ int dir = -1;
	const char *name;
	int err = parent_of(root, s->destination, &dir, &name);

	if (err < 0)
		return err;
	return symlinkat(s->source, dir, name) < 0 ? -errno : 0;
}

static int write_file(int root, const char *destination, const char *data, size_t size, mode_t mode)
{
	_cleanup_close_ int dir = -1, fd = -1;
	const char *name;
	int err = parent_of(root, destination, &dir, &name);

	if (err < 0)
		return err;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

/*
 * A link into /usr stays a link: inside it leads to the same file, and its name says more than the
 * content.  1, 0, -errno.
 */
static int usr_link(const char *path, char *target, size_t size)
{
	ssize_t n = readlink(path, target, size - 1);

	if (n < 0) /* EINVAL: no link */
		return errno == EINVAL || errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	target[n] = '\0';
	return strncmp(target, "/usr/", 5) == 0 || strncmp(target, "../usr/", 7) == 0;
}

static int step_copy(int root, const struct plan_step *s)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *data = NULL;
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;
	int err = usr_link(s->source, target, sizeof(target));

	if (err < 0)
		return err;
	if (err > 0) {
		struct plan_step link = {.destination = s->destination, .source = target};

		return step_link(root, &link);
	}
	fd = open(s->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || !(st.st_mode & S_IROTH) ||
		st.st_size > (off_t)COPY_MAX)
		return 0; /* not for everybody's eyes */
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		return -ENOMEM;
	n = read(fd, data, (size_t)st.st_size);
	return n < 0 ? -errno : write_file(root, s->destination, data, (size_t)n, 0644);
}

static int step_mirror(int root, const struct plan_step *s)
{
	const uint64_t flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	_cleanup_close_ int tree = -1, at = -1;
	char target[PATH_MAX];
	struct stat st;
	int err;

	if (lstat(s->source, &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (S_ISLNK(st.st_mode)) {
		struct plan_step link = {.destination = s->destination, .source = target};
		ssize_t n = readlink(s->source, target, sizeof(target) - 1);

		if (n < 0)
			return -errno;
		target[n] = '\0';
		return step_link(root, &link);
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	tree = open_tree(AT_FDCWD, s->source,
		OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return -errno;
	err = tree_flags(tree, flags, true);
	if (err == 0)
		err = tree_mkdirs(root, s->destination, &at);
	return err < 0 ? err : tree_attach(tree, at);
}

/* An empty file of root's, as a place for a mount. */
static int place_file(int root, const char *destination, int *ret_fd)
{
	int err = write_file(root, destination, "", 0, 0444);

	return err < 0 && err != -EEXIST ? err : tree_open(root, destination, ret_fd);
}

static int step_device(int root, const struct plan_step *s)
{
	_cleanup_close_ int tree =
		open_tree(AT_FDCWD, s->source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	_cleanup_close_ int at = -1;
	struct stat st;
	int err;

	if (tree < 0 || fstat(tree, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != s->device)
		return -ENXIO;
	err = tree_flags(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, false);
	if (err == 0)
		err = place_file(root, s->destination, &at);
	return err < 0 ? err : tree_attach(tree, at);
}

static int step_tmpfs(int root, const struct plan_step *s)
{
	uint64_t flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		(s->flags & PLAN_NOEXEC ? MOUNT_ATTR_NOEXEC : 0);
	_cleanup_close_ int tree = -1, at = -1;
	int err = tree_tmpfs(s, flags, &tree);

	if (err == 0)
		err = tree_mkdirs(root, s->destination, &at);
	return err < 0 ? err : tree_attach(tree, at);
}

static int step_special(int root, const struct plan_step *s)
{
	static const char *const pts[] = {"mode", "0620", "ptmxmode", "0666", "gid", "5", NULL};
	static const char *const none[] = {NULL};
	bool proc = s->kind == PLAN_PROC;
	uint64_t flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | (proc ? MOUNT_ATTR_NODEV : 0);
	_cleanup_close_ int tree = -1, at = -1;
	int err = tree_filesystem(proc ? "proc" : "devpts", proc ? none : pts, flags, &tree);

	if (err == 0)
		err = tree_mkdirs(root, s->destination, &at);
	return err < 0 ? err : tree_attach(tree, at);
}

static int step_tree(const struct build *b, int root, const struct plan_step *s)
{
	uint64_t flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
		(s->flags & PLAN_RDONLY ? MOUNT_ATTR_RDONLY : 0);
	_cleanup_close_ int at = -1;
	struct stat st;
	int err, tree;

	if (s->tree >= b->n_trees)
		return -EINVAL;
	tree = b->trees[s->tree];
	if (fstat(tree, &st) < 0)
		return -errno;
	err = tree_flags(tree, flags, true);
	if (err == 0)
		err = S_ISDIR(st.st_mode) ? tree_mkdirs(root, s->destination, &at) :
					    place_file(root, s->destination, &at);
	return err < 0 ? err : tree_attach(tree, at);
}

/*
 * What is to be mounted on: 1, or 0 where there is nothing.  A link cannot be mounted on: that is
 * for the findings.
 */
static int open_existing(int root, const struct plan_step *s, int *ret_at, struct stat *ret_st)
{
	_cleanup_close_ int at = -1;
	int err = tree_open(root, s->destination, &at);

	if (err < 0)
		return (s->flags & PLAN_OPTIONAL) &&
				(err == -ENOENT || err == -ENOTDIR || err == -ELOOP)
			? 0
			: err;
	if (fstat(at, ret_st) < 0)
		return -errno;
	if (S_ISLNK(ret_st->st_mode))
		return 0;
	*ret_at = TAKE_FD(at);
	return 1;
}

/* PIN, READONLY: what is there, over itself. */
static int step_over_itself(int root, const struct plan_step *s)
{
	_cleanup_close_ int at = -1, tree = -1;
	struct stat st;
	int err = open_existing(root, s, &at, &st);

	if (err <= 0)
		return err;
	tree = open_tree(at, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return -errno;
	err = tree_flags(tree, s->kind == PLAN_READONLY ? MOUNT_ATTR_RDONLY : 0, false);
	return err < 0 ? err : tree_attach(tree, at);
}

static int cover_with(int root, bool directory, int *ret_tree)
{
	static const struct plan_step empty = {.mode = 0555, .size = 4096, .inodes = 1};
	_cleanup_close_ int null = -1;
	int err;

	if (directory)
		return tree_tmpfs(&empty,
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				MOUNT_ATTR_NOEXEC,
			ret_tree);
	err = tree_open(root, "/dev/null", &null);
	if (err < 0)
		return err;
	*ret_tree = open_tree(null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return *ret_tree < 0 ? -errno : 0;
}

static int step_cover(int root, const struct plan_step *s)
{
	_cleanup_close_ int at = -1, tree = -1;
	struct stat st;
	int err = open_existing(root, s, &at, &st);

	if (err <= 0)
		return err;
	err = cover_with(root, S_ISDIR(st.st_mode), &tree);
	return err < 0 ? err : tree_attach(tree, at);
}

static int step_seal(int root, const struct plan_step *s)
{
	_cleanup_close_ int at = -1;
	int err = tree_open(root, s->destination, &at);

	return err < 0 ? err : tree_flags(at, MOUNT_ATTR_RDONLY, false);
}

/* For root alone: the worker cannot write the host's log. */
static int log_socket(int root, int *ret_fd)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "log"};
	_cleanup_close_ int dev = -1,
			    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, err;

	if (fd < 0)
		return -errno;
	err = tree_open(root, "/dev", &dev);
	if (err < 0)
		return err;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 || fchdir(dev) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || fchmodat(dev, "log", 0600, 0) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int step_do(const struct build *b, int root, const struct plan_step *s)
{
	switch (s->kind) {
	case PLAN_DIR:
		return step_dir(root, s);
	case PLAN_LINK:
		return step_link(root, s);
	case PLAN_FILE:
		return write_file(root, s->destination, s->source, s->size, s->mode);
	case PLAN_COPY:
		return step_copy(root, s);
	case PLAN_MIRROR:
		return step_mirror(root, s);
	case PLAN_DEVICE:
		return step_device(root, s);
	case PLAN_TMPFS:
		return step_tmpfs(root, s);
	case PLAN_PROC:
	case PLAN_DEVPTS:
		return step_special(root, s);
	case PLAN_TREE:
		return step_tree(b, root, s);
	case PLAN_PIN:
	case PLAN_READONLY:
		return step_over_itself(root, s);
	case PLAN_COVER:
		return step_cover(root, s);
	case PLAN_SEAL:
		return step_seal(root, s);
	}
	return -EINVAL;
}

int build_steps(const struct build *b, int root, int *ret_log, struct error *e)
{
	int log = -1;

	for (size_t i = 0; i < b->plan->n; i++) {
		const struct plan_step *s = &b->plan->steps[i];
		char name[128];
		int err = 0;

		if (s->kind == PLAN_SEAL && log < 0)
			err = log_socket(root, &log);
		snprintf(name, sizeof(name), "build:%.100s", s->destination);
		if (err == 0)
			err = fault(name) ?: step_do(b, root, s);
		if (err < 0) {
			closep(&log);
			return error_errno(e, err, "cannot make '%s' of the sandbox",
				s->destination);
		}
	}
	*ret_log = log;
	return 0;
}
