/*
 * The functions that glibc calls, when the registry answers anything at all: readlinkat(2) is
 * replaced by one that reads the input, line by line; "!N" is the errno N.  The first byte says how
 * large the caller's buffer is, which is of exactly that size.
 */
#include "config.h"
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <shadow.h>
#include <stdint.h>

#include "lib/base/macros.h"
#include "lib/base/record.h"

#define WORKER WORKER_PREFIX "app"
#define ROUNDS 3

enum nss_status _nss_clsecure_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_setpwent(int);
enum nss_status _nss_clsecure_getpwent_r(struct passwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_getgrnam_r(const char *, struct group *, char *, size_t, int *);
enum nss_status _nss_clsecure_getspnam_r(const char *, struct spwd *, char *, size_t, int *);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

char nss_test_root[] = "/nowhere";
static const uint8_t *start, *next, *end;

ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t n)
{
	const uint8_t *line = next, *stop;

	if (next >= end) {
		errno = ENOENT;
		return -1;
	}
	stop = memchr(line, '\n', (size_t)(end - line)) ?: end;
	next = stop + 1;
	if (*line == '!' && stop - line == 2) {
		errno = line[1];
		return -1;
	}
	if ((size_t)(stop - line) < n)
		n = (size_t)(stop - line);
	memcpy(buf, line, n);
	return (ssize_t)n;
}

static void check_passwd(enum nss_status status, const struct passwd *pw, const char *buf,
	size_t size)
{
	const char *const words[] = {
		pw->pw_name, pw->pw_passwd, pw->pw_gecos, pw->pw_dir, pw->pw_shell};

	if (status != NSS_STATUS_SUCCESS)
		return;
	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (words[i] < buf || words[i] + strlen(words[i]) >= buf + size)
			abort();
	if (pw->pw_uid <= UID_RESERVED_FIRST || pw->pw_uid > CLSECURE_UID_LAST ||
	    pw->pw_gid != pw->pw_uid || identity_of(pw->pw_name) == IDENTITY_OTHER)
		abort();
}

static void again(void)
{
	next = start;
}

static void ask(char *buf, size_t size)
{
	struct passwd pw;
	struct group gr;
	struct spwd sp;
	int err = 0;

	again();
	check_passwd(_nss_clsecure_getpwnam_r(WORKER, &pw, buf, size, &err), &pw, buf, size);
	again();
	check_passwd(_nss_clsecure_getpwuid_r(CLSECURE_UID_FIRST + 1, &pw, buf, size, &err), &pw,
		buf, size);
	again();
	if (_nss_clsecure_getgrnam_r(WORKER, &gr, buf, size, &err) == NSS_STATUS_SUCCESS &&
	    (gr.gr_mem[0] || !streq(gr.gr_name, WORKER)))
		abort();
	again();
	if (_nss_clsecure_getspnam_r("claude", &sp, buf, size, &err) == NSS_STATUS_SUCCESS &&
	    !streq(sp.sp_pwdp, "!*"))
		abort();
	again();
	_nss_clsecure_setpwent(0);
	for (int i = 0; i < ROUNDS; i++)
		check_passwd(_nss_clsecure_getpwent_r(&pw, buf, size, &err), &pw, buf, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room;
	char *buf;

	if (size < 1)
		return 0;
	room = data[0];
	start = data + 1;
	end = data + size;
	buf = malloc(room ? room : 1);
	if (!buf)
		abort();
	ask(buf, room);
	free(buf);
	return 0;
}
