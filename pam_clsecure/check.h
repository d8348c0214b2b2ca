/*
 * May this person come in by this door, now?  Asked in the account phase, and again whole in the
 * session phase, since runuser has no account phase, sudo runs it for another user, and sshd may
 * run it in a child.
 */
#ifndef CLSECURE_PAM_CHECK_H
#define CLSECURE_PAM_CHECK_H

#include "pam_clsecure/login.h"

/* For su: the caller behind it is a person who may enter.  Says nothing to anybody. */
bool check_person_may_enter(const struct login *l);

/*
 * PAM_SUCCESS, and l->uid for a worker; else PAM_PERM_DENIED, PAM_ACCT_EXPIRED, PAM_USER_UNKNOWN or
 * PAM_SYSTEM_ERR, with the reason told to the person and the log.
 */
int check_door(struct login *l);

/*
 * Is there room for one session more?  PAM_SUCCESS or PAM_PERM_DENIED, with the reason told.  For
 * the account phase, where doors show it best; the keeper asks again when the session enters.
 */
int check_room(const struct login *l);

#endif
