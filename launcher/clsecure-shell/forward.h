/*
 * A door that joined the sandbox and execs its shell without a fork leaves it outside the sandbox's
 * PID namespace: only its children are inside.  So one is made, and this process stands for it.
 */
#ifndef CLSECURE_SHELL_FORWARD_H
#define CLSECURE_SHELL_FORWARD_H

#include "lib/base/error.h"

/* Are /proc and this process of different PID namespaces? */
bool forward_needed(void);

/*
 * Returns 0 in the child only.  The parent passes signals on, stops when the child stops, and ends
 * as the child ended.  -errno when there can be no child.
 */
int forward_fork(struct error *e);

#endif
