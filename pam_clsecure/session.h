/* The session of a worker: from a process of the host to one that stands in the sandbox. */
#ifndef CLSECURE_PAM_SESSION_H
#define CLSECURE_PAM_SESSION_H

#include "pam_clsecure/login.h"

/*
 * The login is checked.  PAM_SUCCESS, PAM_PERM_DENIED or PAM_SYSTEM_ERR; never PAM_SESSION_ERR,
 * which sudo forgives.
 */
int session_open(const struct login *l);

/* In the process that opened it: ends it.  Elsewhere, or without one: nothing.  PAM_SUCCESS. */
int session_close(const struct login *l);

#endif
