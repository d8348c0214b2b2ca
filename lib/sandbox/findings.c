#include "config.h"
#include "lib/sandbox/findings.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/base/person.h"
#include "lib/policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

static int findings_open(const char *slug, int flags, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	char path[256];

	if (!slug_valid(slug))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s/log/findings", PROJECTS_DIR, slug);
	fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The last line of those that fit.  An agent can make many, to hide one. */
static const char more[] = "0\tmore was found than is kept: the host's log has it "
			   "(clsecure-keeper, priority notice)\n";

static int add_more(int fd, off_t size)
{
	char last[sizeof(more)] = "";
	off_t at = size - (off_t)strlen(more);

	if (at >= 0 && pread(fd, last, strlen(more), at) < 0)
		return -errno;
	if (streq(last, more))
		return 0;
	return write(fd, more, strlen(more)) == (ssize_t)strlen(more) ? 0 : -EIO;
}

int findings_add(const char *slug, const char *text, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char line[1024];
	struct stat st;
	int err = findings_open(slug, O_RDWR | O_APPEND | O_CREAT, &fd), n;

	if (err < 0)
		return error_errno(e, err, "findings of '%s'", slug);
	n = snprintf(line, sizeof(line) - 1, "%lld\t%s", (long long)time(NULL), text);
	if (n < 0 || (size_t)n >= sizeof(line) - 1)
		n = (int)sizeof(line) - 2;
	line[n] = '\0';
	text_clean(strchr(line, '\t') + 1);
	line[n] = '\n';
	if (fstat(fd, &st) < 0)
		return error_errno(e, -errno, "findings of '%s'", slug);
	if (st.st_size + n + 1 > (off_t)FINDINGS_MAX) {
		err = add_more(fd, st.st_size);
		return error_set(e, err < 0 ? err : -EFBIG,
			"findings of '%s': nobody has read the earlier ones", slug);
	}
	return write(fd, line, (size_t)n + 1) == n + 1
		? 0
		: error_errno(e, -EIO, "findings of '%s'", slug);
}

int findings_read(const char *slug, bool clear, char **ret_text, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t size;
	int err = findings_open(slug, O_RDWR, &fd);

	if (err == -ENOENT) {
		text = strdup("");
		if (!text)
			return error_errno(e, -ENOMEM, "findings of '%s'", slug);
	} else if (err == 0) {
		err = read_whole(fd, FINDINGS_MAX + 1024, &text, &size);
		if (err == 0 && clear && ftruncate(fd, 0) < 0)
			err = -errno;
	}
	if (err < 0 && err != -ENOENT)
		return error_errno(e, err, "findings of '%s'", slug);
	*ret_text = TAKE_PTR(text);
	return 0;
}
