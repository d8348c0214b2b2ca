/*
 * A worker can make a tree a million directories deep.  So none is descended into: the directories
 * found in one are first moved up, beside it, and it is removed when it is empty.  Every directory
 * that is opened is thus a child of the top.
 */
#include "config.h"
#include "lib/policy/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PASSES_MAX 1000 /* over one directory: somebody still fills it */

struct removal {
	int top;
	unsigned long next; /* name of the next directory that is moved up */
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* A directory itself: no link, no mount point. */
static int open_dir(int parent, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool dots(const char *name)
{
	return streq(name, ".") || streq(name, "..");
}

static int move_up(struct removal *r, int dir, const char *name)
{
	char to[32];

	for (;;) {
		snprintf(to, sizeof(to), "~%lu", r->next++);
		if (renameat2(dir, name, r->top, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
}

static int remove_entry(struct removal *r, int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	/* most are empty or have no directories of their own */
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	return move_up(r, dir, name);
}

/* Empties one directory of the top and removes it. */
static int remove_dir(struct removal *r, const char *name)
{
	_cleanup_(closedirp) DIR *d = NULL;
	int fd = open_dir(r->top, name);

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -ENOMEM;
	}
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		if (unlinkat(r->top, name, AT_REMOVEDIR) == 0)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
		rewinddir(d);
		for (struct dirent *entry; (entry = readdir(d));) {
			int err = dots(entry->d_name) ? 0 : remove_entry(r, fd, entry->d_name);

			if (err < 0)
				return err;
		}
	}
	return -EBUSY;
}

/* Everything in the top: files at once, directories one after the other. */
static int remove_all(struct removal *r, DIR *d, bool *ret_empty)
{
	bool empty = true;
	int err = 0;

	rewinddir(d);
	for (struct dirent *entry; err == 0 && (entry = readdir(d));) {
		if (dots(entry->d_name))
			continue;
		empty = false;
		if (unlinkat(r->top, entry->d_name, 0) == 0)
			continue;
		err = errno == EISDIR || errno == EPERM ? remove_dir(r, entry->d_name) : -errno;
		if (err == -ENOENT)
			err = 0;
	}
	if (err == 0)
		*ret_empty = empty;
	return err;
}

static int remove_top(int top)
{
	struct removal r = {.top = top};
	_cleanup_(closedirp) DIR *d = NULL;
	bool empty = false;
	int err = 0, copy = fcntl(top, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return -errno;
	d = fdopendir(copy);
	if (!d) {
		close(copy);
		return -ENOMEM;
	}
	while (err == 0 && !empty)
		err = remove_all(&r, d, &empty);
	return err;
}

int tree_remove(int parent, const char *name, struct error *e)
{
	_cleanup_close_ int top = -1;
	int err;

	top = open_dir(parent, name);
	if (top == -ENOENT)
		return 0;
	if (top == -ENOTDIR || top == -ELOOP) {
		if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
			return error_errno(e, -errno, "remove '%s'", name);
		return 0;
	}
	err = top < 0 ? top : remove_top(top);
	if (err == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		err = -errno;
	if (err == -EXDEV || err == -EBUSY)
		return error_set(e, err,
			"remove '%s': something is mounted in it, or still writes to it", name);
	return err < 0 ? error_errno(e, err, "remove '%s'", name) : 0;
}
