/*
 * The bytes: from the terminal to the sandbox's pty and back, until somebody says that it is over.
 */
#ifndef CLSECURE_RELAY_COPY_H
#define CLSECURE_RELAY_COPY_H

#include <stdbool.h>
#include <stddef.h>

#include "launcher/clsecure-relay/outer.h"

#define COPY_SIZE ((size_t)64 * 1024)

struct flow {
	size_t start, end; /* what is in buf and not written yet */
	char buf[COPY_SIZE];
};

struct copy {
	struct outer *outer;
	int master; /* -1: hung up */
	int control, caller;
	bool escaped; /* the sandbox has sent a control sequence */
	struct flow in, out;
};

/*
 * Returns when the control socket has something to read or is closed, or the caller is dead
 * (false). SIGWINCH and SIGCONT must be blocked; they are taken while it waits.
 */
bool copy_run(struct copy *c);

/*
 * What is still on its way out, for a short while; then the terminal's modes that outlive a
 * program.
 */
void copy_drain(struct copy *c);

#endif
