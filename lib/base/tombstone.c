/*
 * Tombstones: tombstones/<uid> holds "1:<owner>:<slug>:<path>", the path up to the end.  A file and
 * not a link, since a path may be longer than file systems let a link be.  The directory is root's
 * alone; one that cannot be read or understood still keeps its uid from everybody.
 */
#include "config.h"
#include "lib/base/registry-links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define TOMBSTONE_MAX (PATH_MAX + 64)

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int write_temporary(int dir, const char *text, size_t size)
{
	_cleanup_close_ int fd = -1;
	int err;

	if (unlinkat(dir, REGISTRY_TEMPORARY, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir, REGISTRY_TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, size);
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	return err;
}

int tombstone_put(int dir, uid_t uid, uid_t owner, const char *slug, const char *path)
{
	char text[TOMBSTONE_MAX], key[UID_KEY_MAX];
	int n, err;

	n = snprintf(text, sizeof(text), "1:%u:%s:%s", owner, slug, path);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -ENAMETOOLONG;
	uid_key(uid, key);
	err = write_temporary(dir, text, (size_t)n);
	if (err == 0 && renameat(dir, REGISTRY_TEMPORARY, dir, key) < 0)
		err = -errno;
	if (err < 0) {
		unlinkat(dir, REGISTRY_TEMPORARY, 0);
		return err;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

int tombstone_drop(int dir, uid_t uid)
{
	char key[UID_KEY_MAX];

	uid_key(uid, key);
	return link_drop(dir, key);
}

bool tombstone_there(int dir, uid_t uid)
{
	char key[UID_KEY_MAX];

	uid_key(uid, key);
	return faccessat(dir, key, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/*
 * What follows "1:<owner>:" in a tombstone of this owner, in `text`; NULL: it is not the owner's.
 */
static char *read_theirs(int dir, const char *key, uid_t owner, char text[static TOMBSTONE_MAX])
{
	_cleanup_close_ int fd = -1;
	char whose[32];
	ssize_t n;

	fd = openat(dir, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, TOMBSTONE_MAX - 1);
	if (n < 0 || memchr(text, '\0', (size_t)n))
		return NULL;
	text[n] = '\0';
	snprintf(whose, sizeof(whose), "1:%u:", owner);
	return strncmp(text, whose, strlen(whose)) == 0 ? text + strlen(whose) : NULL;
}

/* 0: not theirs; 1: theirs; 2: theirs, and of the same slug. */
static int tombstone_match(int dir, const char *key, uid_t owner, const char *slug,
	const char *path)
{
	char text[TOMBSTONE_MAX], *theirs = read_theirs(dir, key, owner, text), *colon;

	colon = theirs ? strchr(theirs, ':') : NULL;
	if (!colon || !streq(colon + 1, path))
		return 0;
	*colon = '\0';
	return streq(theirs, slug) ? 2 : 1;
}

uid_t tombstone_find(int dir, uid_t owner, const char *slug, const char *path)
{
	int best = 0;
	uid_t found = 0;
	struct dirent *d;
	DIR *stream;

	stream = open_stream(dir);
	if (!stream)
		return 0;
	while (best < 2 && (d = readdir(stream))) {
		uid_t uid = uid_of_key(d->d_name);
		int match = uid ? tombstone_match(dir, d->d_name, owner, slug, path) : 0;

		if (match > best) {
			best = match;
			found = uid;
		}
	}
	closedir(stream);
	return found;
}

static bool older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

uid_t tombstone_oldest(int dir, uid_t owner, size_t least)
{
	char text[TOMBSTONE_MAX];
	struct timespec when = {0};
	uid_t found = 0;
	struct dirent *d;
	size_t n = 0;
	DIR *stream;

	stream = open_stream(dir);
	if (!stream)
		return 0;
	while ((d = readdir(stream))) {
		uid_t uid = uid_of_key(d->d_name);
		struct stat st;

		if (!uid || !read_theirs(dir, d->d_name, owner, text) ||
		    fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n++ == 0 || older(&st.st_mtim, &when)) {
			when = st.st_mtim;
			found = uid;
		}
	}
	closedir(stream);
	return n >= least ? found : 0;
}
