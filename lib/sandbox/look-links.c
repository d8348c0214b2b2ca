/*
 * Hard links.  A name that is a read-only mount does not keep a file from being written by another
 * name of it, made while there was no protection yet.  So all names are looked for, and protected.
 */
#include "config.h"
#include "lib/sandbox/look.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define BELOW_DEPTH 16
#define BELOW_FILES 10000 /* looked at in one protected directory */

void links_done(struct links *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->files[i].path);
	*l = (struct links){0};
}

static struct linked *find(struct links *l, dev_t device, ino_t inode)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->files[i].inode == inode && l->files[i].device == device)
			return &l->files[i];
	return NULL;
}

/* Every name counts in the later search, this one too. */
static int add(struct links *l, const struct stat *st, const char *path)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink < 2 || find(l, st->st_dev, st->st_ino))
		return 0;
	if (l->n == LINKS_MAX) {
		l->more = true;
		return 0;
	}
	l->files[l->n] = (struct linked){st->st_dev, st->st_ino, st->st_nlink, strdup(path)};
	return l->files[l->n].path ? (l->n++, 0) : -ENOMEM;
}

static int add_below(struct links *l, int dir, const char *path, unsigned depth, unsigned *left)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	struct stat st;

	if (!d && fd >= 0)
		close(fd);
	l->more |= !d; /* what cannot be looked at may hold some */
	while (d && err == 0 && (e = readdir(d))) {
		_cleanup_close_ int below = -1;

		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		if (*left == 0 || depth == BELOW_DEPTH ||
			fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			l->more = true;
			break;
		}
		*left -= 1;
		if (!S_ISDIR(st.st_mode)) {
			err = add(l, &st, path);
			continue;
		}
		below = openat(dirfd(d), e->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		l->more |= below < 0;
		if (below >= 0)
			err = add_below(l, below, path, depth + 1, left);
	}
	if (d)
		closedir(d);
	return err;
}

int links_collect(struct links *l, int dir, const char *name, const char *path)
{
	_cleanup_close_ int fd = -1;
	unsigned left = BELOW_FILES;
	struct stat st;

	if (!l)
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return add(l, &st, path);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	l->more |= fd < 0;
	return fd < 0 ? 0 : add_below(l, fd, path, 0, &left);
}

bool links_have(struct links *l, int dir, const struct dirent *e)
{
	struct linked *f = NULL;
	struct stat st;

	/*
	 * The number in the directory costs nothing; of a file that a file system numbers otherwise
	 * there, a name is missing.
	 */
	for (size_t i = 0; l && !f && i < l->n; i++)
		if (l->files[i].inode == e->d_ino)
			f = &l->files[i];
	if (!f || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	f = find(l, st.st_dev, st.st_ino);
	if (!f || f->missing == 0 || l->answered == LINKED_NAMES_MAX)
		return false;
	f->missing--;
	l->answered++;
	return true;
}

int links_answer(const struct links *l, unsigned tree, struct person_out *out)
{
	int err = l->more
		? look_answer(out, LOOK_NAMES, tree,
			  "one of many or unreadable files in a protected place")
		: 0;

	for (size_t i = 0; err == 0 && i < l->n; i++)
		if (l->files[i].missing > 0)
			err = look_answer(out, LOOK_NAMES, tree, l->files[i].path);
	return err;
}
