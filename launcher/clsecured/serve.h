/*
 * One request of one peer.  clsecured runs serve() in a process of its own for each connection;
 * clsecure, when root calls it, in a child of its own: the same code, and the same question whom to
 * trust.  The answer is always: the kernel (SO_PEERCRED) says who asks, and nothing in the message
 * does.
 */
#ifndef CLSECURE_SERVE_H
#define CLSECURE_SERVE_H

#include "launcher/clsecured/message.h"
#include "lib/policy/policy.h"

#define REQUEST_MS 5000 /* for the whole request to arrive */
#define REPLY_MS 10000 /* for the peer to take one frame */

struct request {
	int conn;
	const struct message *m;
	struct person
		who; /* who asks: the peer, or the person whose key the gateway's ticket names */
	bool admin; /* root */
	bool gateway; /* may enter, nothing else */
	char remedy[256]; /* what to do about a failure, or "" */
};

/* Reads one request from conn, does it, answers.  Returns the exit status of the process. */
int serve(int conn);

/* A frame of the given type, and its strings taken from `m`, which may be NULL. */
int reply(struct request *r, const char *type, struct message *m);
int note(struct request *r, const char *format, ...) _printf_(2, 3);

/* Is the peer gone? */
bool peer_gone(const struct request *r);

/* Sets r->remedy. */
void remedy_set(struct request *r, const char *format, ...) _printf_(2, 3);

/*
 * The gateway (launcher/clsecured/gateway.c): checks the ticket in the request of a peer that is
 * GATEWAY_UID, and finds the person that it names who may enter `slug` (NULL: any).
 */
int gateway_person(struct request *r, struct error *e);

typedef int op_fn(struct request *r, struct error *e);
op_fn op_find, op_add, op_set, op_remove, op_list, op_info, op_findings, op_sessions, op_kill,
	op_open, op_net, op_refuse,
	op_dial;

#endif
