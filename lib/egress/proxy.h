/*
 * What a program that is set to a proxy says first: SOCKS5 (RFC 1928), HTTP CONNECT, or a request
 * of HTTP with an absolute target.
 */
#ifndef CLSECURE_EGRESS_PROXY_H
#define CLSECURE_EGRESS_PROXY_H

#include "lib/egress/name.h"

#define PROXY_HEAD_MAX 65536

enum proxy_kind {
	PROXY_SOCKS_GREETING, /* answered by proxy_socks_greeting, and the request comes next */
	PROXY_SOCKS,
	PROXY_CONNECT,
	PROXY_HTTP, /* one request, to be rewritten by proxy_rewrite() */
};

struct proxy_request {
	enum proxy_kind kind;
	size_t size; /* bytes of the request; what stands behind them is for the server */
	struct egress_name name;
	uint16_t port;
	char said[128]; /* where the name is bad: what was said, for people; cleaned */
	uint8_t socks_error; /* of SOCKS: what it is answered with */
};

extern const uint8_t proxy_socks_greeting[2]; /* no method of authentication is asked for */

/*
 * greeted: proxy_socks_greeting was sent.  0; -EAGAIN: more has to come; -EINVAL with the reason.
 */
int proxy_parse(const char *data, size_t n, bool greeted, struct proxy_request *ret,
	struct error *e);

/*
 * The head of a PROXY_HTTP request as a server wants it: without the proxy's own fields, and with
 * "Connection: close", since the next request may be for somebody else.  Allocated; NULL: out of
 * memory.
 */
char *proxy_rewrite(const char *data, const struct proxy_request *r, size_t *ret_size);

#endif
