/*
 * Names and addresses as strangers and people write them, made canonical once.  What comes out is
 * compared by strcmp and handed to the resolver; nothing else is ever compared.
 */
#ifndef CLSECURE_EGRESS_NAME_H
#define CLSECURE_EGRESS_NAME_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base/error.h"

#define EGRESS_NAME_MAX 253
#define EGRESS_LABEL_MAX 63

/* AF_INET: the first four bytes; network order. */
struct egress_address {
	sa_family_t family;
	uint8_t bytes[16];
};

struct egress_name {
	/* lower case, A-labels, no dot at the end; of an address, as inet_ntop writes it */
	char text[EGRESS_NAME_MAX + 1];
	struct egress_address address; /* family 0: it is a name */
};

/*
 * A name (UTF-8 or A-labels, any case, one dot at the end), an IPv4 address of four decimal numbers
 * or an IPv6 address, in brackets or not.  -EINVAL: neither, with the reason; so are all other ways
 * of writing an IPv4 address, and bytes that are in no host's name.
 */
int egress_name_parse(const char *text, size_t size, struct egress_name *ret, struct error *e);

/* NAME:PORT, with brackets round an IPv6 address.  Without a port, or with none after the colon,
 * it is `port`; with 0 for that it must be there. */
int egress_name_parse_port(const char *text, size_t size, uint16_t port, struct egress_name *ret,
	uint16_t *ret_port, struct error *e);

/* 1 to 65535, digits alone.  -EINVAL */
int egress_port_parse(const char *text, size_t size, uint16_t *ret);

void egress_address_name(const struct egress_address *a, struct egress_name *ret);

/* -EAFNOSUPPORT; and back, with the size of what was written. */
int egress_address_from(const struct sockaddr *sa, struct egress_address *ret, uint16_t *ret_port);
socklen_t egress_address_to(const struct egress_address *a, uint16_t port,
	struct sockaddr_storage *ret);

static inline bool egress_address_equal(const struct egress_address *a,
	const struct egress_address *b)
{
	return a->family == b->family &&
		memcmp(a->bytes, b->bytes, a->family == AF_INET ? 4 : 16) == 0;
}

#endif
