/*
 * How many connections each uid has, so that nobody keeps another out: a stranger with ten thousand
 * half-open ones gets PEER_MAX of them, and the rest are closed at once.
 */
#ifndef CLSECURE_PEERS_H
#define CLSECURE_PEERS_H

#include <sys/types.h>

#include "lib/base/macros.h"

#define PEER_MAX 128 /* connections of one uid */
#define PEERS_MAX 4096 /* of all but root */
#define PEERS_ROOM (PEERS_MAX + PEER_MAX) /* and root's */

struct peers {
	struct peer {
		pid_t pid; /* 0: free */
		uid_t uid;
	} peer[PEERS_ROOM];
	size_t n; /* slots that were ever used */
	size_t others; /* connections that are not root's */
};

/* May this uid have one more? */
bool peers_room(const struct peers *p, uid_t uid);

void peers_add(struct peers *p, uid_t uid, pid_t pid);

/* A process that ended; others are ignored. */
void peers_remove(struct peers *p, pid_t pid);

#endif
