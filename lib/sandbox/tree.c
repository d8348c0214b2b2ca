#include "config.h"
#include "lib/sandbox/tree.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DIRECTORY (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Only root's directories get new entries. */
static int make_in(int dir, const char *name)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return -errno;
	if (st.st_uid != 0)
		return -ENOENT;
	return mkdirat(dir, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* The next component of *path into name; false at the end. */
static bool next_component(const char **path, char name[static NAME_MAX + 1])
{
	size_t n;

	*path += strspn(*path, "/");
	n = strcspn(*path, "/");
	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, *path, n);
	name[n] = '\0';
	*path += n;
	return true;
}

static bool more(const char *path)
{
	return path[strspn(path, "/")] != '\0';
}

/*
 * Most paths are there already, and then one call does what the walk does.  Where it fails, the walk
 * says why, or makes what is missing.
 */
static int open_whole(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	path += strspn(path, "/");
	if (*path == '\0' || strstr(path, ".."))
		return -1;
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int walk(int root, const char *path, bool make, int last_flags, int *ret_fd)
{
	_cleanup_close_ int dir = open_whole(root, path, last_flags);
	char name[NAME_MAX + 1];

	if (dir >= 0) {
		*ret_fd = TAKE_FD(dir);
		return 0;
	}
	dir = openat(root, ".", DIRECTORY);
	if (dir < 0)
		return -errno;
	while (next_component(&path, name)) {
		int flags = more(path) ? DIRECTORY : last_flags, fd;

		if (streq(name, ".."))
			return -EINVAL;
		fd = openat(dir, name, flags);
		if (fd < 0 && errno == ENOENT && make) {
			int err = make_in(dir, name);

			if (err < 0)
				return err;
			fd = openat(dir, name, flags);
		}
		if (fd < 0)
			return -errno;
		close(dir);
		dir = fd;
	}
	if (more(path))
		return -ENAMETOOLONG;
	*ret_fd = TAKE_FD(dir);
	return 0;
}

int tree_open(int root, const char *path, int *ret_fd)
{
	return walk(root, path, false, O_PATH | O_NOFOLLOW | O_CLOEXEC, ret_fd);
}

int tree_mkdirs(int root, const char *path, int *ret_fd)
{
	return walk(root, path, true, DIRECTORY, ret_fd);
}

int tree_filesystem(const char *type, const char *const *options, uint64_t flags, int *ret_tree)
{
	_cleanup_close_ int fs = fsopen(type, FSOPEN_CLOEXEC);
	int tree;

	if (fs < 0)
		return -errno;
	for (size_t i = 0; options[i]; i += 2)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i], options[i + 1], 0) < 0)
			return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	tree = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)flags);
	if (tree < 0)
		return -errno;
	*ret_tree = tree;
	return 0;
}

int tree_tmpfs(const struct plan_step *s, uint64_t flags, int *ret_tree)
{
	char size[24], inodes[24], mode[12], owner[12];
	const char *const options[] = {
		"size", size, "nr_inodes", inodes, "mode", mode, "uid", owner, "gid", owner, NULL};

	/* The kernel takes 0 for "no limit". */
	snprintf(size, sizeof(size), "%" PRIu64, s->size == UINT64_MAX ? 0 : s->size);
	snprintf(inodes, sizeof(inodes), "%" PRIu64, s->inodes == UINT64_MAX ? 0 : s->inodes);
	snprintf(mode, sizeof(mode), "%o", (unsigned)s->mode);
	snprintf(owner, sizeof(owner), "%u", s->owner);
	return tree_filesystem("tmpfs", options, flags, ret_tree);
}

int tree_flags(int tree, uint64_t flags, bool recursive)
{
	struct mount_attr attr = {.attr_set = flags, .propagation = MS_PRIVATE};

	return mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
		       sizeof(attr)) < 0
		? -errno
		: 0;
}

int tree_attach(int tree, int at)
{
	return move_mount(tree, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
		? -errno
		: 0;
}
