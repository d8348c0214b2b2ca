/*
 * The users and groups of the host, as a test wants them.  For programs that are linked with
 * host_users_flags; what the building machine has never matters.
 */
#ifndef CLSECURE_HOST_USERS_H
#define CLSECURE_HOST_USERS_H

#include <grp.h>
#include <pwd.h>

#include "tests/unit/unit.h"

/* What else there is on the host. */
static struct {
	const char *name;
	uid_t first, last;
	int error;
} host;

int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n,
	struct passwd **ret);
int __wrap_getgrnam_r(const char *name, struct group *gr, char *buf, size_t n, struct group **ret);
int __wrap_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t n, struct passwd **ret);
int __wrap_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t n, struct group **ret);

int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t n, struct passwd **ret)
{
	*ret = host.name && streq(host.name, name) ? pw : NULL;
	return host.error;
}

int __wrap_getgrnam_r(const char *name, struct group *gr, char *buf, size_t n, struct group **ret)
{
	*ret = NULL;
	return host.error;
}

int __wrap_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t n, struct passwd **ret)
{
	*ret = NULL;
	return host.error;
}

int __wrap_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t n, struct group **ret)
{
	*ret = gid >= host.first && gid <= host.last ? gr : NULL;
	return host.error;
}

#endif
