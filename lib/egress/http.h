/*
 * The head of an HTTP/1 request, as strictly as RFC 9112 lets one be: what two servers could read
 * in two ways is refused.
 */
#ifndef CLSECURE_EGRESS_HTTP_H
#define CLSECURE_EGRESS_HTTP_H

#include "lib/egress/name.h"

#define HTTP_HEAD_MAX 65536

struct http_text {
	const char *at; /* into the bytes that were parsed */
	size_t n;
};

struct http_head {
	size_t size; /* of it all, with the empty line */
	size_t line_size; /* of the request line, with its end */
	struct http_text method, target, host;
	bool has_host;
	unsigned minor; /* HTTP/1.minor, 0 or 1 */
	bool chunked;
	bool has_length;
	uint64_t length; /* of the body */
	bool has_upgrade;
	bool upgrade; /* to WebSocket, and nothing else: its frames ask for no other host */
};

/* Is this the beginning of one, METHOD TARGET HTTP/, or can it still become one? */
enum http_guess { HTTP_NO, HTTP_PERHAPS, HTTP_YES };
enum http_guess http_guess(const char *data, size_t n);

/* 0; -EAGAIN: it is not complete; -EINVAL with the reason. */
int http_head_parse(const char *data, size_t n, struct http_head *ret, struct error *e);

/*
 * One line that ends in CRLF, without it.  *at is moved behind it.  -EAGAIN; -EINVAL: a bare CR or
 * LF or a NUL.
 */
int http_line(const char *data, size_t n, size_t *at, struct http_text *ret);

/* A field of a head or of trailers: NAME: VALUE.  -EINVAL */
int http_field(const struct http_text *line, struct http_text *ret_name,
	struct http_text *ret_value);

bool http_text_is(const struct http_text *t, const char *lower_case);

#endif
