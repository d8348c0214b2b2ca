/*
 * Addresses that no name may lead to: whoever owns a name chooses its addresses, and the host can
 * reach more than the internet.
 */
#ifndef CLSECURE_EGRESS_FORBIDDEN_H
#define CLSECURE_EGRESS_FORBIDDEN_H

#include "lib/egress/name.h"

/*
 * NULL: public.  Else what the address is, as "private" or "link-local", for people: loopback,
 * private, shared, link-local, metadata, multicast, reserved, or IPv6 that stands for an IPv4
 * address.
 */
const char *egress_forbidden(const struct egress_address *a);

/*
 * Does the host take packets for this address itself?  Its own routes say so: asked each time,
 * without a packet sent, they know every interface and whatever is local by a route.
 */
bool egress_address_own(const struct egress_address *a);

/*
 * A prefix under which the site's NAT64 reaches IPv4 (RFC 6052), and so all that IPv4 has of it.
 */
struct egress_prefix {
	struct egress_address address;
	uint8_t bits;
};

/* From an answer to ipv4only.arpa (RFC 7050); false: it is no such address. */
bool egress_nat64(const struct egress_address *answer, struct egress_prefix *ret);

bool egress_in_prefix(const struct egress_address *a, const struct egress_prefix *p);

#endif
