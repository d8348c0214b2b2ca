/* The program of a session: a child of the process that opened the login, as the worker. */
#ifndef CLSECURE_SESSION_H
#define CLSECURE_SESSION_H

#include <sys/types.h>

#include "lib/base/error.h"

struct session {
	uid_t worker; /* and gid */
	const char *shell; /* clsecure-shell, absolute */
	const char *directory; /* to start in */
	char *const *argv;
	char *const *environment;
	bool terminal; /* fds[0] is a terminal for it to lead */
	int fds[3]; /* its 0, 1, 2; borrowed; numbers above 2 */
};

/*
 * Forks; the child leads a session of its own, has the three descriptors and no other, default
 * signals, the worker's ids and only its group, and no way back.  Called inside the sandbox: so the
 * child is in its PID namespace, and loses every capability with the ids.
 */
int session_start(const struct session *s, pid_t *ret_pid, struct error *e);

/* What a wait status is for a shell: the status, or 128 + N. */
int session_status(int wait_status);

#endif
