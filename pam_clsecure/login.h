/*
 * One call of a PAM application for one user: who is asked for, at which door, and how to say no.
 */
#ifndef CLSECURE_PAM_LOGIN_H
#define CLSECURE_PAM_LOGIN_H

#include <security/pam_modules.h>

#include "lib/base/error.h"
#include "lib/base/names.h"

struct login {
	pam_handle_t *pamh;
	int flags;
	const char *user, *service; /* libpam's */
	enum identity identity;
	const char *slug; /* of a worker; inside `user` */
	uid_t uid; /* of a worker, once checked */
};

/* PAM_SUCCESS; PAM_IGNORE for a user that is not ours, before anything else is looked at. */
int login_get(pam_handle_t *pamh, int flags, struct login *ret_login);

/*
 * An item as text that a terminal and a log can take, "" when there is none.  Never for a decision.
 */
void login_item(const struct login *l, int item, char *buf, size_t size);

/* Tells the person and the log, and returns `code`. */
int login_refuse(const struct login *l, int code, const char *format, ...) _printf_(3, 4);

/* The log alone. */
void login_note(const struct login *l, const char *format, ...) _printf_(2, 3);

#endif
