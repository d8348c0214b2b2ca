#include "config.h"
#include "launcher/clsecure-shell/inside.h"
#include "lib/base/names.h"
#include "lib/sandbox/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

const char *inside_next(const struct inside *in, const char *entry)
{
	const char *next = entry ? entry + strlen(entry) + 1 : in->data;

	return next < in->data + in->size ? next : NULL;
}

const char *inside_value(const struct inside *in, const char *key)
{
	size_t n = strlen(key);

	for (const char *s = inside_next(in, NULL); s; s = inside_next(in, s))
		if (strncmp(s, key, n) == 0)
			return s + n;
	return NULL;
}

void inside_done(struct inside *in)
{
	free(in->data);
	*in = (struct inside){0};
}

int inside_parse(char *data, size_t size, struct inside *ret_inside, struct error *e)
{
	struct inside in = {.data = data, .size = size};
	const char *version;

	if (size == 0 || data[size - 1] != '\0')
		return error_set(e, -EBADMSG, "%s is not whole", INSIDE_FILE);
	version = inside_value(&in, "@version=");
	if (!version || !streq(version, "1"))
		return error_set(e, -EBADMSG, "%s is of another version", INSIDE_FILE);
	in.project = inside_value(&in, "@project=");
	in.path = inside_value(&in, "@path=");
	in.shell = inside_value(&in, "@shell=");
	if (!in.project || !slug_valid(in.project))
		return error_set(e, -EBADMSG, "%s names no project", INSIDE_FILE);
	if (!in.path || in.path[0] != '/' || !in.shell || in.shell[0] != '/')
		return error_set(e, -EBADMSG, "%s names no directory or no shell", INSIDE_FILE);
	*ret_inside = in;
	return 0;
}

static int open_checked(size_t *ret_size)
{
	_cleanup_close_ int fd =
		open(INSIDE_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st, dir;

	if (fd < 0 || fstat(fd, &st) < 0 || lstat(INSIDE_DIR, &dir) < 0)
		return -errno;
	if (!S_ISDIR(dir.st_mode) || dir.st_uid != 0 || (dir.st_mode & 022))
		return -EPERM;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
		return -EPERM;
	if (st.st_size <= 0 || st.st_size > INSIDE_MAX)
		return -EFBIG;
	*ret_size = (size_t)st.st_size;
	return TAKE_FD(fd);
}

static int read_all(int fd, char *data, size_t size)
{
	size_t at = 0;

	while (at < size) {
		ssize_t n = read(fd, data + at, size - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		at += (size_t)n;
	}
	return 0;
}

int inside_read(struct inside *ret_inside, struct error *e)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	int err;

	fd = open_checked(&size);
	if (fd < 0)
		return error_errno(e, fd, "%s", INSIDE_FILE);
	data = malloc(size ?: 1);
	err = data ? read_all(fd, data, size) : -ENOMEM;
	if (err < 0)
		return error_errno(e, err, "%s", INSIDE_FILE);
	err = inside_parse(data, size, ret_inside, e);
	if (err < 0)
		return err;
	TAKE_PTR(data);
	return 0;
}
