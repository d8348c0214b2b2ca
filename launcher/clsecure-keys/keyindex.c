#include "config.h"
#include "launcher/clsecure-keys/keyindex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/clsecure-keys/keyfile.h"

#define ENTRY_MAX (PERSON_KEYS_MAX * (FINGERPRINT_HEX + 1))

static int open_index(const char *dir, bool make, int *ret_fd)
{
	int fd;

	if (make && mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int write_entry(int dir, uid_t uid, const char *text, size_t size)
{
	_cleanup_close_ int fd = -1;
	char name[16], temporary[40];
	int err = 0;

	snprintf(name, sizeof(name), "%u", uid);
	snprintf(temporary, sizeof(temporary), ".%u.%d", uid, (int)getpid());
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, size) != (ssize_t)size || renameat(dir, temporary, dir, name) < 0)
		err = -errno ?: -EIO;
	if (err < 0)
		unlinkat(dir, temporary, 0);
	return err;
}

int keyindex_person(const char *dir, const struct person *p, unsigned timeout_ms, struct error *e)
{
	_cleanup_free_ uint8_t *fps = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t n;
	int err = person_keys_list(p, timeout_ms, &fps, &n, e);

	if (err < 0)
		return err;
	text = malloc(n * (FINGERPRINT_HEX + 1) + 1);
	if (!text)
		return error_errno(e, -ENOMEM, "the index of keys");
	for (size_t i = 0; i < n; i++) {
		fingerprint_hex(fps + i * FINGERPRINT_SIZE, text + i * (FINGERPRINT_HEX + 1));
		text[(i + 1) * (FINGERPRINT_HEX + 1) - 1] = '\n';
	}
	err = open_index(dir, true, &fd);
	if (err == 0)
		err = write_entry(fd, p->uid, text, n * (FINGERPRINT_HEX + 1));
	return err < 0 ? error_errno(e, err, "writing '%s/%u'", dir, p->uid) : 0;
}

int keyindex_forget(const char *dir, uid_t uid)
{
	_cleanup_close_ int fd = -1;
	char name[16];
	int err = open_index(dir, false, &fd);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	snprintf(name, sizeof(name), "%u", uid);
	return unlinkat(fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Has this entry the fingerprint?  1, 0, -errno. */
static int entry_has(int dir, const char *name, const char *hex)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t size;
	int err;

	if (fd < 0)
		return -errno;
	err = read_whole(fd, ENTRY_MAX, &text, &size);
	if (err < 0)
		return err;
	for (size_t at = 0; at + FINGERPRINT_HEX < size; at += FINGERPRINT_HEX + 1)
		if (memcmp(text + at, hex, FINGERPRINT_HEX) == 0 &&
			text[at + FINGERPRINT_HEX] == '\n')
			return 1;
	return 0;
}

static bool parse_uid(const char *name, uid_t *ret_uid)
{
	char *end;
	unsigned long v;

	if (*name < '1' || *name > '9') /* root's key opens nothing here */
		return false;
	errno = 0;
	v = strtoul(name, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*ret_uid = (uid_t)v;
	return true;
}

int keyindex_find(const char *dir, const uint8_t fp[static FINGERPRINT_SIZE],
	uid_t ret_uids[static KEYINDEX_PERSONS_MAX])
{
	char hex[FINGERPRINT_HEX + 1];
	struct dirent *entry;
	DIR *d;
	uid_t uid;
	int fd = -1, n = 0, err = open_index(dir, false, &fd);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	d = fdopendir(fd);
	if (!d) {
		err = -errno;
		close(fd);
		return err;
	}
	fingerprint_hex(fp, hex);
	while (n < KEYINDEX_PERSONS_MAX && (entry = readdir(d)))
		if (parse_uid(entry->d_name, &uid) && entry_has(fd, entry->d_name, hex) == 1)
			ret_uids[n++] = uid;
	closedir(d);
	return n;
}
