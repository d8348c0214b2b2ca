/* Carries bytes from one descriptor to another without ever blocking for long on either. */
#ifndef CLSECURE_PUMP_H
#define CLSECURE_PUMP_H

#include <poll.h>

#include "lib/base/macros.h"

#define PUMP_SIZE (64 * 1024)

struct pump {
	int from, to; /* -1: no more */
	size_t start, end; /* what waits in data */
	bool broken; /* writing failed: nobody reads */
	bool ended; /* end of the input */
	bool escapes; /* an escape character went through */
	char data[PUMP_SIZE];
};

/* Sets two pollfds: reading where there is room, writing where there is something. */
void pump_poll(const struct pump *p, struct pollfd fds[static 2]);

/* Does what poll said. */
void pump_run(struct pump *p, const struct pollfd fds[static 2]);

/* Has all that was read been written, or can it not be? */
bool pump_idle(const struct pump *p);

#endif
