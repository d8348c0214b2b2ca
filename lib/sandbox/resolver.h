/*
 * The resolv.conf of a sandbox with Network=full.
 *
 * The host's nameservers are asked directly where the sandbox can reach them.  One on a loopback
 * address it cannot: then those that systemd-resolved asks are taken, where it runs; else pasta
 * forwards what is sent to PASTA_DNS, by UDP alone, to the host's.
 */
#ifndef CLSECURE_RESOLVER_H
#define CLSECURE_RESOLVER_H

#include "lib/base/error.h"

/* Where the sandbox asks when pasta forwards. */
#define PASTA_DNS "169.254.1.1"

struct resolver {
	char *text; /* owned */
	bool forward; /* pasta must */
};

/* Both files are the host's; a missing one names nobody.  -errno when one cannot be read. */
int resolver_find(const char *conf, const char *upstream, struct resolver *ret_resolver);

#endif
