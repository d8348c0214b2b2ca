/*
 * Network=full: pasta(1) between the sandbox's network namespace and the host's network, as clsecure-pasta.
 *
 * A guard of that uid makes a user namespace and the network namespace in it, runs pasta outside of
 * both on them, and ends it when the keeper's end of `control` closes, however the keeper ended.
 */
#ifndef CLSECURE_PASTA_H
#define CLSECURE_PASTA_H

#include "lib/base/error.h"

/* Where the sandbox asks for names when the host's resolver listens on a loopback address. */
#define PASTA_DNS "169.254.1.1"

/* Is there a pasta that clsecure-pasta could use?  With the remedy in the words. */
int pasta_available(struct error *e);

/* 0 when the namespace has an address and a route. */
int pasta_start(unsigned timeout_ms, int *ret_control, int *ret_netns, struct error *e);

/* The guard: `clsecure-keeper --network`, uid clsecure-pasta, 0 is the control socket. */
_Noreturn void pasta_guard(void);

/* Does /etc/resolv.conf name a resolver on a loopback address? */
bool resolver_is_local(void);

#endif
