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

#endif
