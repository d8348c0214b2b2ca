/*
 * pam_clsecure: the wall at the login.  See pam_clsecure(8).
 *
 * What runs here runs inside sshd, su, login or cron as root.  A user that is not clsecure's is
 * ignored before anything is opened, read or asked.
 */
#include "config.h"
#include "lib/base/macros.h"
#include "pam_clsecure/check.h"
#include "pam_clsecure/login.h"
#include "pam_clsecure/session.h"

/*
 * Only su: its real uid is a person whom the kernel vouches for.  Every other door has its own
 * proof, and root's su is pam_rootok's.
 */
int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct login l;

	if (login_get(pamh, flags, &l) != PAM_SUCCESS || l.identity != IDENTITY_WORKER)
		return PAM_IGNORE;
	if (!streq(l.service, "su") && !streq(l.service, "su-l"))
		return PAM_IGNORE;
	if (geteuid() != 0 || getuid() == 0)
		return PAM_IGNORE;
	return check_person_may_enter(&l) ? PAM_SUCCESS : PAM_IGNORE;
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct login l;

	return login_get(pamh, flags, &l);
}

int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct login l;
	int code;

	if (login_get(pamh, flags, &l) != PAM_SUCCESS)
		return PAM_IGNORE;
	code = check_door(&l);
	return code == PAM_SUCCESS ? check_room(&l) : code;
}

int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct login l;
	int code;

	if (login_get(pamh, flags, &l) != PAM_SUCCESS)
		return PAM_IGNORE;
	code = check_door(&l);
	if (code != PAM_SUCCESS)
		return code == PAM_SYSTEM_ERR ? PAM_SYSTEM_ERR : PAM_PERM_DENIED;
	return l.identity == IDENTITY_WORKER ? session_open(&l) : PAM_SUCCESS;
}

int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct login l;

	if (login_get(pamh, flags, &l) != PAM_SUCCESS)
		return PAM_IGNORE;
	return session_close(&l);
}

/* Passwords are none of ours: there are none. */
int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	return PAM_IGNORE;
}
