/*
 * Network=filtered: the network namespace, and the clsecure-egress that serves it.
 *
 * The keeper holds the sockets and the program that steers to them, so that a clsecure-egress that
 * ended is followed by another; until then nothing is reached.  Nobody waits for it: what does not
 * answer in time, or answers nonsense, is killed.
 */
#ifndef CLSECURE_KEEPER_EGRESS_H
#define CLSECURE_KEEPER_EGRESS_H

#include <poll.h>

#include "lib/policy/policy.h"
#include "lib/sandbox/filtered.h"
#include "lib/sandbox/reached.h"

struct egress {
	bool used;
	struct filtered net;
	const char *slug;
	pid_t pid;
	int pidfd, control; /* of the process; -1: there is none */
	char *policy; /* what it is to have: EGRESS_POLICY's text */
	bool ready; /* it has its filter and this policy */
	unsigned unanswered; /* policies that it was sent */
	bool reading; /* an EGRESS_LOG is unanswered */
	uint64_t next; /* change from which to read */
	uint64_t deadline; /* now_ms() by which it has to have answered, UINT64_MAX: nothing is due */
	uint64_t started, start_at; /* now_ms(); start_at UINT64_MAX: it runs */
	unsigned failures; /* one after the other */
	struct reached reached;
};
#define EGRESS_INIT \
	{.net = FILTERED_INIT, .pid = -1, .pidfd = -1, .control = -1, .deadline = UINT64_MAX, \
		.start_at = UINT64_MAX}

/* Makes the network and starts the process, which goes on starting while others work. */
int egress_begin(struct egress *g, const char *slug, const struct policy *p, struct error *e);
/* Until it serves. */
int egress_wait(struct egress *g, unsigned timeout_ms, struct error *e);

/* The policy may have changed: it counts at once. */
void egress_update(struct egress *g, const struct policy *p);

/* In the loop: what to poll, at most EGRESS_POLL; when to come back; what happened. */
#define EGRESS_POLL 2
void egress_poll(const struct egress *g, struct pollfd p[static EGRESS_POLL]);
uint64_t egress_wake_at(const struct egress *g);
void egress_turn(struct egress *g, const struct pollfd p[static EGRESS_POLL]);

/* Ask=: the answer is no. */
int egress_refuse(struct egress *g, const char *name, uint32_t port, struct error *e);

/* Asks for what was reached since.  False: it is known already, or cannot be. */
bool egress_read(struct egress *g);

/* Ends it, and keeps on disk what was reached. */
void egress_end(struct egress *g);

#endif
