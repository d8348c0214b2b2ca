/*
 * Network=filtered, the kernel's part: a network namespace with loopback alone, on which all of
 * 198.18.0.0/15 is local, and the sockets of clsecure-egress in it (lib/egress/control.h).
 *
 * There is no route beside loopback's, so every other address, UDP, ICMP and IPv6 too, is refused
 * at once (ENETUNREACH).  TCP to the pool, at whatever port, and to the host ports of 127.0.0.1 and
 * ::1, is steered to the listeners by a BPF program of the type sk_lookup: the connection keeps the
 * address that it was made to, which getsockname() of the accepted socket says, and no packet is
 * rewritten.  The program goes with the last copy of .link; then nobody is reached.
 */
#ifndef CLSECURE_FILTERED_H
#define CLSECURE_FILTERED_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/egress/control.h"

#define FILTERED_SOCKETS (EGRESS_FD_TCP6 - EGRESS_FD_TCP + 1)

struct filtered {
	int netns;
	int link, ports; /* of the program: its attachment, its table of host ports */
	int sockets[FILTERED_SOCKETS]; /* as enum egress_fd has them from EGRESS_FD_TCP on, or -1 */
};
#define FILTERED_INIT {.netns = -1, .link = -1, .ports = -1, .sockets = {-1, -1, -1, -1, -1}}

/*
 * In a process of one thread, which is in another network namespace for a moment; after a failure
 * it may have to stay there, and is to end.
 */
int filtered_make(struct filtered *ret_filtered, struct error *e);

/* These ports of 127.0.0.1 and ::1 are steered from now on, and no others. */
int filtered_host_ports(const struct filtered *f, const uint16_t *ports, size_t n);

void filtered_done(struct filtered *f);

#endif
