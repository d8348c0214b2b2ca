/*
 * Standing for a child: what a process does that has a child run in its place, because the child
 * can be where it cannot (in another PID namespace).  Who waits for it sees what the child did.
 */
#ifndef CLSECURE_STAND_H
#define CLSECURE_STAND_H

#include <sys/types.h>

#include "lib/base/error.h"

enum {
	STAND_STOP = 1, /* stops as the child does, for a shell with job control above */
};

/*
 * fork(2) with every signal blocked in the parent, so that none is lost before stand_for(); the
 * child has the caller's mask.  Returns as fork does, or -errno.
 */
pid_t stand_fork(void);

/* Hands on each signal that others send, until the child ends: its status, as of waitpid(2). */
int stand_for(pid_t child, unsigned flags);

/* Ends this process as that one ended: by _exit(2), or by the signal. */
_Noreturn void stand_end(int status);

#endif
