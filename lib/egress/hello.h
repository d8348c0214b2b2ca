/*
 * The name in a TLS ClientHello (RFC 8446, 6066), from the first bytes of a connection: over as
 * many records as its sender likes.
 */
#ifndef CLSECURE_EGRESS_HELLO_H
#define CLSECURE_EGRESS_HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define HELLO_MAX 65536 /* with the heads of its records */

struct hello {
	char name[256]; /* as it was said; empty: none was */
	bool encrypted; /* another name is said in secret, or it is pretended */
};

/* Does this begin as a record that TLS begins with?  Two bytes tell. */
static inline bool hello_guess(const uint8_t *data, size_t n)
{
	return n > 1 && data[0] == 22 && data[1] == 3;
}

/*
 * 0; -EAGAIN: it is not complete, and with less than *ret_need bytes it cannot be; -EINVAL: it is
 * none, with the reason.
 */
int hello_parse(const uint8_t *data, size_t n, struct hello *ret, size_t *ret_need,
	struct error *e);

#endif
