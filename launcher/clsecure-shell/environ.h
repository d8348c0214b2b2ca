/* The environment of a login, built from nothing: see clsecure.conf(5), SetEnv= and PassEnv=. */
#ifndef CLSECURE_SHELL_ENVIRON_H
#define CLSECURE_SHELL_ENVIRON_H

#include <sys/types.h>

#include "launcher/clsecure-shell/inside.h"

#define ENVIRON_MAX 512 /* variables */

struct environment {
	char *v[ENVIRON_MAX + 1]; /* NAME=VALUE, owned, NULL-terminated */
	size_t n;
};

/* `caller`: the environment that the door left, NULL-terminated.  -E2BIG, -ENOMEM. */
int environment_build(const struct inside *in, uid_t uid, char *const *caller,
	struct environment *ret_environment);
void environment_done(struct environment *env);

/* The value, or NULL. */
const char *environment_get(char *const *env, const char *name);

#endif
