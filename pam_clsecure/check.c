#include "config.h"
#include "pam_clsecure/check.h"
#include "lib/base/macros.h"
#include "lib/base/person.h"
#include "lib/base/record.h"
#include "lib/policy/policy.h"
#include "lib/sandbox/client.h"

#include <errno.h>
#include <pwd.h>
#include <time.h>

#define COUNT_WAIT_MS 500
#define PASSWD_SIZE 4096 /* ours need 200 bytes; a larger answer is not ours */

static void person_donep(struct person *p)
{
	person_done(p);
}

/* The registry and what the rest of the host is told must agree on who this is. */
static int worker_uid(const struct login *l, uid_t *ret_uid, struct error *e)
{
	struct passwd pw, *found = NULL;
	struct record record;
	char buf[PASSWD_SIZE];
	int err = record_by_name(REGISTRY_ARMED, l->user, &record);

	if (err == -ENOENT)
		return error_set(e, err, "there is no project '%s'", l->slug);
	if (err < 0)
		return error_errno(e, err, "the record of '%s' cannot be read", l->slug);
	err = getpwnam_r(l->user, &pw, buf, sizeof(buf), &found);
	if (!found)
		return error_errno(e, err ? -err : -ENOENT, "the host's passwd does not have '%s'",
			l->user);
	if (pw.pw_uid != record.uid || pw.pw_gid != (gid_t)record.uid)
		return error_set(e, -EBADMSG, "another source of users gives '%s' another uid",
			l->user);
	*ret_uid = record.uid;
	return 0;
}

/* atd has root's rights and daemon's real uid; whose job it is the kernel told at(1). */
static bool is_atd(const char *service, const struct person *who)
{
	return streq(service, "atd") && streq(who->name, "daemon");
}

/*
 * Under su the real uid is the person's, and no text is believed.  Root may enter; so may what root
 * runs as a PAM application (sshd, cron, clsecured), which has its own say about who comes in.
 */
static int caller_may_enter(const struct policy *policy, const char *service, struct error *e)
{
	_cleanup_(person_donep) struct person who = {0};
	int err;

	if (getuid() == 0)
		return 0;
	err = person_by_uid(getuid(), &who, e);
	if (err < 0)
		return err;
	if (!is_atd(service, &who) && !policy_may_enter(policy, &who))
		return error_set(e, -EACCES,
			"%s may not enter '%s' (its owner or root can allow it: AllowUsers)",
			who.name, policy_slug(policy));
	return 0;
}

static bool service_allowed(const struct policy *policy, const char *service)
{
	size_t n = 0;
	char *const *list = policy_list(policy, SETTING_ALLOW_SERVICES, &n);

	for (size_t i = 0; i < n; i++)
		if (streq(list[i], service))
			return true;
	return false;
}

/*
 * A keeper that is not there has no sessions; one that does not answer is the session phase's
 * trouble.
 */
static bool sessions_left(const char *slug)
{
	struct keeper_request q = {.version = KEEPER_VERSION, .op = KEEPER_COUNT};
	struct keeper_reply reply;
	_cleanup_close_ int conn = -1;

	if (keeper_connect(slug, false, NULL, COUNT_WAIT_MS, &conn, NULL) < 0)
		return true;
	if (keeper_call(conn, &q, &reply, NULL, NULL, COUNT_WAIT_MS, NULL) < 0)
		return true;
	return reply.session < reply.max;
}

bool check_person_may_enter(const struct login *l)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	uid_t uid;

	if (worker_uid(l, &uid, NULL) < 0)
		return false;
	if (policy_load(l->slug, NULL, POLICY_TRUSTED_ONLY, &policy, NULL) < 0)
		return false;
	return caller_may_enter(policy, l->service, NULL) == 0;
}

static int check_policy(const struct login *l, const struct policy *policy)
{
	struct error e = {0};

	if (!service_allowed(policy, l->service))
		return login_refuse(l, PAM_PERM_DENIED, "'%s' is no way into '%s' (AllowServices)",
			l->service, l->slug);
	if (caller_may_enter(policy, l->service, &e) < 0)
		return login_refuse(l, PAM_PERM_DENIED, "%s", e.text);
	if (policy_expires(policy) <= (uint64_t)time(NULL))
		return login_refuse(l, PAM_ACCT_EXPIRED,
			"the project '%s' has expired: 'clsecure set %s ExpireAfter=' opens it again",
			l->slug, l->slug);
	return PAM_SUCCESS;
}

static int check_worker(struct login *l)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct error e = {0};
	uid_t uid = 0;
	int err, code;

	err = worker_uid(l, &uid, &e);
	if (err < 0)
		return login_refuse(l, err == -ENOENT ? PAM_USER_UNKNOWN : PAM_SYSTEM_ERR, "%s",
			e.text);
	err = fault("pam-policy");
	if (err < 0)
		error_errno(&e, err, "the settings of '%s'", l->slug);
	else
		err = policy_load(l->slug, NULL, POLICY_TRUSTED_ONLY, &policy, &e);
	if (err < 0)
		return login_refuse(l, PAM_SYSTEM_ERR, "%s", e.text);
	code = check_policy(l, policy);
	if (code == PAM_SUCCESS)
		l->uid = uid;
	return code;
}

int check_room(const struct login *l)
{
	if (l->identity != IDENTITY_WORKER || sessions_left(l->slug))
		return PAM_SUCCESS;
	return login_refuse(l, PAM_PERM_DENIED, "'%s' has as many sessions as it may (MaxSessions)",
		l->slug);
}

int check_door(struct login *l)
{
	/* A `systemd --user` of ours would run outside every sandbox. */
	if (streq(l->service, "systemd-user"))
		return login_refuse(l, PAM_PERM_DENIED, "%s has no user manager", l->user);
	switch (l->identity) {
	case IDENTITY_WORKER:
		return check_worker(l);
	case IDENTITY_GATEWAY:
		if (streq(l->service, "sshd"))
			return PAM_SUCCESS;
		return login_refuse(l, PAM_PERM_DENIED, "%s comes in by ssh only", l->user);
	default:
		return login_refuse(l, PAM_PERM_DENIED, "%s is no login", l->user);
	}
}
