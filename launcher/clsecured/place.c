#include "config.h"
#include "launcher/clsecured/place.h"

#include <errno.h>
#include <limits.h>
#include <nettle/sha2.h>

#define HASHED_HEAD 12 /* characters before '-' and 4 hex */

static int home_allowed(const char *path, const char *home, struct error *e)
{
	static const char *const private[] = {"/.ssh", "/.config", "/.gnupg", "/.claude"};
	char below[PATH_MAX];

	if (path_within(home, path))
		return error_set(e, -EPERM, streq(home, path) ? "'%s' is a home directory" :
			"'%s' has a home directory in it", path);
	for (size_t i = 0; i < ELEMENTSOF(private); i++) {
		if (snprintf(below, sizeof(below), "%s%s", home, private[i]) >= (int)sizeof(below))
			continue;
		if (path_within(path, below))
			return error_set(e, -EPERM, "'%s' is a place of private settings", path);
	}
	return 0;
}

int place_allowed(const char *path, const char *home, struct error *e)
{
	static const char *const system[] = {"/bin", "/boot", "/dev", "/etc", "/lib", "/lib32",
		"/lib64", "/libx32", "/proc", "/run", "/sbin", "/sys", "/usr", "/var",
		CLSECURE_STATEDIR, CLSECURE_RUNDIR, CLSECURE_CONFDIR, CLSECURE_LIBEXECDIR};

	if (!path_normal(path, false, false))
		return error_set(e, -EINVAL, "'%s' is not an absolute path in its plain form",
			path);
	if (streq(path, "/") || streq(path, "/home") || streq(path, "/root") || streq(path, "/tmp"))
		return error_set(e, -EPERM, "'%s' cannot be a project", path);
	for (size_t i = 0; i < ELEMENTSOF(system); i++)
		if (path_within(path, system[i]) || path_within(system[i], path))
			return error_set(e, -EPERM, "'%s' is a system directory", path);
	/* Workers' homes are bound there: what is seen depends on who looks. */
	if (strncmp(path, "/home/" WORKER_PREFIX, strlen("/home/" WORKER_PREFIX)) == 0)
		return error_set(e, -EPERM, "'%s' is the home of a project", path);
	return home_allowed(path, home, e);
}

/* The base name as a slug of any length, in a buffer of NAME_MAX + 1. */
static void squeeze(const char *path, char buf[static NAME_MAX + 1])
{
	const char *base = strrchr(path, '/');
	size_t n = 0;

	for (const char *p = base ? base + 1 : path; *p && n < NAME_MAX; p++) {
		char c = *p;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
			c = '-';
		if (c != '-' || (n > 0 && buf[n - 1] != '-'))
			buf[n++] = c;
	}
	while (n > 0 && buf[n - 1] == '-')
		n--;
	buf[n] = '\0';
	if (n == 0)
		snprintf(buf, NAME_MAX + 1, "project");
}

bool slug_needs_hash(const char *path)
{
	char buf[NAME_MAX + 1];

	squeeze(path, buf);
	return strlen(buf) > SLUG_MAX || slug_reserved(buf);
}

void slug_of_path(const char *path, enum slug_form form, char ret_slug[static SLUG_MAX + 1])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;
	char buf[NAME_MAX + 1];

	squeeze(path, buf);
	if (form == SLUG_PLAIN) {
		snprintf(ret_slug, SLUG_MAX + 1, "%.*s", SLUG_MAX, buf);
		return;
	}
	sha256_init(&ctx);
	sha256_update(&ctx, strlen(path), (const uint8_t *)path);
	sha256_digest(&ctx, sizeof(digest), digest);
	snprintf(ret_slug, SLUG_MAX + 1, "%.*s-%02x%02x", HASHED_HEAD, buf, digest[0], digest[1]);
}
