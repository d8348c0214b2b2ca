/*
 * Callers that exec the user's program without a fork: systemd, for PAMName= (machinectl shell,
 * systemd-run).  Such a caller would stay outside of the sandbox's PID namespace, and finds nothing
 * in its /proc.  So the module forks, once it is inside: the child goes on in systemd's code, and
 * the caller stands for it.
 */
#ifndef CLSECURE_PAM_EXECUTOR_H
#define CLSECURE_PAM_EXECUTOR_H

#include "lib/sandbox/client.h"

/*
 * Is this process systemd's executor?  Asked outside.  By the name of its program: it is root's,
 * and who would lie gains a process more.
 */
bool executor_calls(void);

/*
 * Returns in the child only: 0, or -errno when it is not to go on.  The caller keeps CAP_KILL and
 * `relay` (the control of its terminal's relay, or -1) alone, passes signals on, lets the relay
 * finish, and ends as the child ended; it is the session's holder.  -errno in the caller too, when
 * there can be no child.
 */
int executor_fork(const struct sandbox *s, int relay, struct error *e);

#endif
