/*
 * A caller that relays by itself: sudo with use_pty has made a pty before the session, keeps both
 * ends among its descriptors and gives the slave to what it runs.  That pty is of the host: one of
 * the sandbox takes its place, and needs no relay of ours.
 */
#ifndef CLSECURE_PAM_PAIR_H
#define CLSECURE_PAM_PAIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"

struct pair {
	unsigned device; /* of the caller's slave; 0: it has none */
	int master, slave; /* of the sandbox's pty, until they are swapped in */
};
#define PAIR_INIT {.master = -1, .slave = -1}

/*
 * Both ends of one pty above descriptor 2, and the service is one of sudo's.  Of others it would be
 * a leak.
 */
void pair_find(struct pair *p, const char *service);

/* A pty of `dev` with the settings and the size of the caller's. */
int pair_prepare(struct pair *p, int dev, uid_t worker, struct error *e);

/* Over every descriptor of the caller's pty, which closes it. */
int pair_swap(struct pair *p, struct error *e);

void pair_forget(struct pair *p);

#endif
