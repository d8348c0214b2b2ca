/*
 * Network=full: pasta(1) between the sandbox's network namespace and the host's network, as
 * clsecure-pasta.
 *
 * A guard of that uid makes a user namespace and the network namespace in it, runs pasta outside of
 * both on them, and ends it when the keeper's end of `control` closes, however the keeper ended.
 */
#ifndef CLSECURE_PASTA_H
#define CLSECURE_PASTA_H

#include "lib/base/error.h"

/* Is there a pasta that clsecure-pasta could use?  With the remedy in the words. */
int pasta_available(struct error *e);

/*
 * 0 when the namespace has an address and a route.  forward: what is sent to PASTA_DNS goes to the
 * host's first nameserver; its own address gives no answer then, so only where it must.
 */
int pasta_start(bool forward, unsigned timeout_ms, int *ret_control, int *ret_netns,
	struct error *e);

/* The guard: `clsecure-keeper --network forward|direct`, uid clsecure-pasta, 0 is the control
 * socket. */
_Noreturn void pasta_guard(bool forward);

#endif
