/*
 * clsecured as a PAM application, service "clsecure": what su and sshd do, for `clsecure shell`,
 * exec and the gateway.  After login_open() this process is inside the project's sandbox
 * (pam_clsecure took it there), still root, and good for nothing but to start the session's
 * program, wait for it, and close.
 */
#ifndef CLSECURE_LOGIN_H
#define CLSECURE_LOGIN_H

#include <security/pam_appl.h>

#include "launcher/clsecured/serve.h"

#define LOGIN_SERVICE "clsecure"

struct login {
	pam_handle_t *pam;
	struct request *r;
	char reason[256]; /* the last error that a module told */
	bool credentials, session;
	int status; /* of the last call */
};

/*
 * The account and session phases for the worker of `slug`; `variables`: NULL-terminated NAME=VALUE
 * for the PAM environment.  Messages of the modules go to the peer; the reason of a refusal is in
 * e. In any case login_close() follows.  *l must not move.
 */
int login_open(struct login *l, struct request *r, const char *slug, char *const *variables,
	struct error *e);

/* The environment that PAM and its modules ask for; owned, as strv_free() takes it. */
char **login_environment(struct login *l);

void login_close(struct login *l);

#endif
