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

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	size_t whole = bits / 8;
	unsigned mask = 0xffU << (8 - bits % 8) & 0xff;

	return memcmp(a, b, whole) == 0 && (mask == 0 || (a[whole] & mask) == (b[whole] & mask));
}

const char *egress_forbidden(const struct egress_address *a)
{
	const struct range *ranges = a->family == AF_INET ? ranges4 : ranges6;
	size_t n = a->family == AF_INET ? ELEMENTSOF(ranges4) : ELEMENTSOF(ranges6);

	if (a->family != AF_INET && a->family != AF_INET6)
		return "no address of the internet";
	for (size_t i = 0; i < n; i++)
		if (same_bits(a->bytes, ranges[i].bytes, ranges[i].prefix))
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

bool egress_in_prefix(const struct egress_address *a, const struct egress_prefix *p)
{
	return a->family == p->address.family && same_bits(a->bytes, p->address.bytes, p->bits);
}

/* The IPv4 address behind a prefix of so many bits: byte 8 is passed over, and is 0. */
static bool embeds(const uint8_t *bytes, unsigned bits, uint8_t ret[static 4])
{
	size_t at = bits / 8;

	for (size_t i = 0; i < 4; i++, at++) {
		if (bits < 96 && at == 8)
			at++;
		ret[i] = bytes[at];
	}
	return bits == 96 || bytes[8] == 0;
}

bool egress_nat64(const struct egress_address *answer, struct egress_prefix *ret)
{
	static const uint8_t lengths[] = {96, 64, 56, 48, 40, 32};
	uint8_t v4[4];

	if (answer->family != AF_INET6)
		return false;
	for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
		if (!embeds(answer->bytes, lengths[i], v4) || memcmp(v4, "\300\0\0", 3) != 0 ||
			(v4[3] != 170 && v4[3] != 171))
			continue;
		*ret = (struct egress_prefix){*answer, lengths[i]};
		return true;
	}
	return false;
}
