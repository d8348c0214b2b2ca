#include "config.h"
#include "lib/egress/forbidden.h"

#include <errno.h>

struct range {
	uint8_t bytes[16];
	uint8_t prefix;
	const char *what;
};

/* RFC 6890 and what clouds have; documentation addresses lead nowhere and harm nobody. */
static const struct range ranges4[] = {
	{{0}, 8, "this network"},
	{{10}, 8, "private"},
	{{100, 64}, 10, "shared by a provider"},
	{{127}, 8, "the host's loopback"},
	{{168, 63, 129, 16}, 32, "a cloud's metadata"},
	{{169, 254}, 16, "link-local or a cloud's metadata"},
	{{172, 16}, 12, "private"},
	{{192, 0, 0}, 24, "reserved"},
	{{192, 168}, 16, "private"},
	{{198, 18}, 15, "a sandbox's own"},
	{{224}, 4, "multicast"},
	{{240}, 4, "reserved"},
};

static const struct range ranges6[] = {
	{{0}, 96, "no address, the host's loopback, or IPv4"}, /* ::, ::1, ::a.b.c.d */
	{{[10] = 0xff, 0xff}, 96, "IPv4 in IPv6"}, /* ::ffff:0:0/96 */
	{{[8] = 0xff, 0xff}, 96, "IPv4 translated"}, /* ::ffff:0:0:0/96 */
	{{0, 0x64, 0xff, 0x9b}, 96, "IPv4 translated"},
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 48, "IPv4 translated"},
	{{0x01}, 64, "discarded"}, /* 100::/64 */
	{{0x20, 0x01}, 32, "IPv4 in IPv6 (Teredo)"},
	{{0x20, 0x02}, 16, "IPv4 in IPv6 (6to4)"},
	{{0xfc}, 7, "private"}, /* fd00:ec2::254, a cloud's metadata, too */
	{{0xfe, 0x80}, 10, "link-local"},
	{{0xfe, 0xc0}, 10, "site-local"},
	{{0xff}, 8, "multicast"},
};

static bool in_range(const uint8_t *bytes, const struct range *r)
{
	size_t whole = r->prefix / 8;
	unsigned mask = 0xffU << (8 - r->prefix % 8) & 0xff;

	return memcmp(bytes, r->bytes, whole) == 0 &&
		(mask == 0 || (bytes[whole] & mask) == (r->bytes[whole] & mask));
}

const char *egress_forbidden(const struct egress_address *a)
{
	const struct range *ranges = a->family == AF_INET ? ranges4 : ranges6;
	size_t n = a->family == AF_INET ? ELEMENTSOF(ranges4) : ELEMENTSOF(ranges6);

	if (a->family != AF_INET && a->family != AF_INET6)
		return "no address of the internet";
	for (size_t i = 0; i < n; i++)
		if (in_range(a->bytes, &ranges[i]))
			return ranges[i].what;
	return NULL;
}

/*
 * A packet to an address of one's own comes from that address.  Without a route there is nothing
 * to reach.
 */
bool egress_address_own(const struct egress_address *a)
{
	_cleanup_close_ int fd = socket(a->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage ss;
	socklen_t size = egress_address_to(a, 9, &ss);
	struct egress_address from;
	uint16_t port;

	if (fd < 0)
		return errno != EAFNOSUPPORT; /* when in doubt, yes */
	if (connect(fd, (struct sockaddr *)&ss, size) < 0)
		return false;
	size = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &size) < 0 ||
		egress_address_from((struct sockaddr *)&ss, &from, &port) < 0)
		return true;
	return egress_address_equal(a, &from);
}
