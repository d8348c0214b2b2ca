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
 * The account and session phases for the worker of `slug`.  Messages of the modules go to the peer;
 * the reason of a refusal is in e. In any case login_close() follows.  *l must not move.
 */
int login_open(struct login *l, struct request *r, const char *slug, struct error *e);

/*
 * The environment that PAM and its modules ask for, then `variables`, NULL-terminated; owned, as
 * strv_free() takes it.  What a person chose is never in the environment of PAM itself: modules read
 * it and start programs of root with it.
 */
char **login_environment(struct login *l, char *const *variables);

void login_close(struct login *l);

#endif
