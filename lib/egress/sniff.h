/*
 * What a client says first, against the name that it asked for: the name in a ClientHello, or the
 * host of every HTTP/1 request of the connection.
 *
 * Bytes go on to the server only when nothing that is still to come can make them mean another
 * name.
 */
#ifndef CLSECURE_EGRESS_SNIFF_H
#define CLSECURE_EGRESS_SNIFF_H

#include "lib/egress/control.h"

#define SNIFF_HOLD_MAX 65536 /* as much as this may have to be held back before it is clear */

enum sniff_state {
	SNIFF_START,
	SNIFF_PASS, /* the rest of the connection is not looked at */
	SNIFF_WATCH, /* the first line, in .left bytes, which goes on: it must not become HTTP */
	SNIFF_HEAD, /* of the next request */
	SNIFF_BODY, /* .left bytes */
	SNIFF_CHUNK, /* the line before a chunk */
	SNIFF_CHUNK_DATA, /* .left bytes and CRLF */
	SNIFF_TRAILERS,
	SNIFF_UPGRADE, /* waits for what the server says to it */
};

struct sniff {
	const char *name; /* canonical; the owner keeps it */
	bool must; /* TLS or HTTP, nothing else: ports 80 and 443 */
	uint8_t state;
	bool requested; /* a request has been seen */
	bool upgrade;
	uint8_t matched; /* of "HTTP/" */
	bool empty; /* the line, so far */
	uint8_t answer_n;
	char answer[12];
	uint64_t left;
	size_t seen; /* so much of a head has been parsed, and is not complete */
	size_t need; /* with less than so many bytes the next step is not clear */
};

/* name: NULL: nothing is looked at. */
void sniff_begin(struct sniff *s, const char *name, bool must);

/*
 * data: what came from the client and has not gone on yet.  *ret_pass: so much of it may.  0, or
 * -EACCES with the reason, and a detail in e: the connection has to end.
 */
int sniff_client(struct sniff *s, const char *data, size_t n, size_t *ret_pass,
	enum egress_reason *ret_reason, struct error *e);

/* What came from the server; true: sniff_client() should look again at what it held. */
bool sniff_server(struct sniff *s, const char *data, size_t n);

/* May the server speak now?  Not on 80 and 443, before the client has said whom it wants. */
static inline bool sniff_server_may(const struct sniff *s)
{
	return s->state != SNIFF_START || !s->must;
}

static inline bool sniff_done(const struct sniff *s)
{
	return s->state == SNIFF_PASS;
}

#endif
