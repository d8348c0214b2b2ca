/* passwd, group, shadow and initgroups: the functions that glibc calls, and what they answer. */
#include "config.h"
#include "nss_clsecure/lookup.h"

#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdatomic.h>

#define NOLOGIN "/usr/sbin/nologin"
#define NOWHERE "/nonexistent"

/* Glibc finds these by name; no header declares them. */
enum nss_status _nss_clsecure_getpwnam_r(const char *name, struct passwd *pw, char *buf,
	size_t size, int *errnop);
enum nss_status _nss_clsecure_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size,
	int *errnop);
enum nss_status _nss_clsecure_setpwent(int stayopen);
enum nss_status _nss_clsecure_getpwent_r(struct passwd *pw, char *buf, size_t size, int *errnop);
enum nss_status _nss_clsecure_endpwent(void);
enum nss_status _nss_clsecure_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size,
	int *errnop);
enum nss_status _nss_clsecure_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t size,
	int *errnop);
enum nss_status _nss_clsecure_setgrent(int stayopen);
enum nss_status _nss_clsecure_getgrent_r(struct group *gr, char *buf, size_t size, int *errnop);
enum nss_status _nss_clsecure_endgrent(void);
enum nss_status _nss_clsecure_getspnam_r(const char *name, struct spwd *sp, char *buf, size_t size,
	int *errnop);
enum nss_status _nss_clsecure_setspent(int stayopen);
enum nss_status _nss_clsecure_getspent_r(struct spwd *sp, char *buf, size_t size, int *errnop);
enum nss_status _nss_clsecure_endspent(void);
enum nss_status _nss_clsecure_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
	gid_t **groups, long limit, int *errnop);

static _Atomic uid_t passwd_cursor, group_cursor, shadow_cursor;

static bool fill_passwd(const struct record *record, void *result, struct space *space)
{
	const char *gecos = "clsecure network", *after = "", *home = NOWHERE, *home_end = "";
	const char *shell = NOLOGIN;
	struct passwd *pw = result;

	switch (identity_of(record->name)) {
	case IDENTITY_WORKER:
		gecos = "clsecure project ";
		after = worker_slug(record->name);
		home = "/home/";
		home_end = record->name;
		shell = CLSECURE_LIBEXECDIR "/clsecure-shell";
		break;
	case IDENTITY_GATEWAY:
		gecos = "clsecure gateway";
		home = "/";
		shell = CLSECURE_LIBEXECDIR "/clsecure-gateway";
		break;
	case IDENTITY_EGRESS:
		gecos = "clsecure network filter";
		break;
	case IDENTITY_PASTA:
	case IDENTITY_OTHER:
		break;
	}
	*pw = (struct passwd){
		.pw_name = space_put(space, record->name, ""),
		.pw_passwd = space_put(space, "x", ""),
		.pw_uid = record->uid,
		.pw_gid = record->uid,
	};
	pw->pw_gecos = space_put(space, gecos, after);
	pw->pw_dir = space_put(space, home, home_end);
	pw->pw_shell = space_put(space, shell, "");
	return pw->pw_name && pw->pw_passwd && pw->pw_gecos && pw->pw_dir && pw->pw_shell;
}

static bool fill_group(const struct record *record, void *result, struct space *space)
{
	struct group *gr = result;

	gr->gr_gid = record->uid;
	gr->gr_mem = space_put_empty_list(space); /* first: a fresh buffer is mostly aligned */
	gr->gr_name = space_put(space, record->name, "");
	gr->gr_passwd = space_put(space, "x", "");
	return gr->gr_mem && gr->gr_name && gr->gr_passwd;
}

/* No password fits, and no age of it ever asks for a change (shadow(5): -1 is an empty field). */
static bool fill_shadow(const struct record *record, void *result, struct space *space)
{
	struct spwd *sp = result;

	*sp = (struct spwd){
		.sp_lstchg = -1,
		.sp_min = -1,
		.sp_max = -1,
		.sp_warn = -1,
		.sp_inact = -1,
		.sp_expire = -1,
		.sp_flag = (unsigned long)-1,
	};
	sp->sp_namp = space_put(space, record->name, "");
	sp->sp_pwdp = space_put(space, "!*", "");
	return sp->sp_namp && sp->sp_pwdp;
}

static enum nss_status rewind_cursor(_Atomic uid_t *cursor)
{
	atomic_store(cursor, 0);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_clsecure_getpwnam_r(const char *name, struct passwd *pw, char *buf,
	size_t size, int *errnop)
{
	return nss_by_name(name, fill_passwd, pw, buf, size, errnop);
}

enum nss_status _nss_clsecure_getpwuid_r(uid_t uid, struct passwd *pw, char *buf, size_t size,
	int *errnop)
{
	return nss_by_id(uid, fill_passwd, pw, buf, size, errnop);
}

enum nss_status _nss_clsecure_setpwent(int stayopen)
{
	return rewind_cursor(&passwd_cursor);
}

enum nss_status _nss_clsecure_getpwent_r(struct passwd *pw, char *buf, size_t size, int *errnop)
{
	return nss_next(&passwd_cursor, fill_passwd, pw, buf, size, errnop);
}

enum nss_status _nss_clsecure_endpwent(void)
{
	return rewind_cursor(&passwd_cursor);
}

enum nss_status _nss_clsecure_getgrnam_r(const char *name, struct group *gr, char *buf, size_t size,
	int *errnop)
{
	return nss_by_name(name, fill_group, gr, buf, size, errnop);
}

enum nss_status _nss_clsecure_getgrgid_r(gid_t gid, struct group *gr, char *buf, size_t size,
	int *errnop)
{
	return nss_by_id(gid, fill_group, gr, buf, size, errnop);
}

enum nss_status _nss_clsecure_setgrent(int stayopen)
{
	return rewind_cursor(&group_cursor);
}

enum nss_status _nss_clsecure_getgrent_r(struct group *gr, char *buf, size_t size, int *errnop)
{
	return nss_next(&group_cursor, fill_group, gr, buf, size, errnop);
}

enum nss_status _nss_clsecure_endgrent(void)
{
	return rewind_cursor(&group_cursor);
}

enum nss_status _nss_clsecure_getspnam_r(const char *name, struct spwd *sp, char *buf, size_t size,
	int *errnop)
{
	return nss_by_name(name, fill_shadow, sp, buf, size, errnop);
}

enum nss_status _nss_clsecure_setspent(int stayopen)
{
	return rewind_cursor(&shadow_cursor);
}

enum nss_status _nss_clsecure_getspent_r(struct spwd *sp, char *buf, size_t size, int *errnop)
{
	return nss_next(&shadow_cursor, fill_shadow, sp, buf, size, errnop);
}

enum nss_status _nss_clsecure_endspent(void)
{
	return rewind_cursor(&shadow_cursor);
}

/*
 * Nobody has a group from us besides the one in passwd, which the caller knows already.  That this
 * function is there matters: without it glibc would enumerate all groups for every login.
 */
enum nss_status _nss_clsecure_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
	gid_t **groups, long limit, int *errnop)
{
	return NSS_STATUS_NOTFOUND;
}
