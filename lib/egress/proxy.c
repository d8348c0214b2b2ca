#include "config.h"
#include "lib/egress/proxy.h"
#include "lib/egress/http.h"

#include <errno.h>
#include <strings.h>

#define SOCKS 5
enum { SOCKS_DOMAIN = 3, SOCKS_V4 = 1, SOCKS_V6 = 4 };
enum { SOCKS_REFUSED = 2, SOCKS_NO_COMMAND = 7, SOCKS_NO_TYPE = 8 };

const uint8_t proxy_socks_greeting[2] = {SOCKS, 0};

static int greeting(const uint8_t *d, size_t n, struct proxy_request *r, struct error *e)
{
	if (n < 2 || n < 2 + (size_t)d[1])
		return -EAGAIN;
	if (!memchr(d + 2, 0, d[1]))
		return error_set(e, -EINVAL, "SOCKS that wants a password");
	r->kind = PROXY_SOCKS_GREETING;
	r->size = 2 + (size_t)d[1];
	return 0;
}

static int bad_socks(struct proxy_request *r, uint8_t code, struct error *e, const char *why)
{
	r->socks_error = code;
	return error_set(e, -EINVAL, "%s", why);
}

static int socks_address(const uint8_t *at, uint8_t type, size_t size, struct proxy_request *r,
	struct error *e)
{
	struct egress_address a = {.family = type == SOCKS_V4 ? AF_INET : AF_INET6};

	if (type == SOCKS_DOMAIN) {
		snprintf(r->said, sizeof(r->said), "%.*s", (int)size, (const char *)at);
		text_clean(r->said);
		if (egress_name_parse((const char *)at, size, &r->name, e) < 0)
			return bad_socks(r, SOCKS_REFUSED, NULL, "");
		return 0;
	}
	memcpy(a.bytes, at, size);
	egress_address_name(&a, &r->name);
	return 0;
}

static int socks(const uint8_t *d, size_t n, struct proxy_request *r, struct error *e)
{
	size_t start = 4, size;
	int err;

	r->kind = PROXY_SOCKS;
	if (n < 5)
		return -EAGAIN;
	if (d[0] != SOCKS || d[1] != 1 || d[2] != 0)
		return bad_socks(r, SOCKS_NO_COMMAND, e, "SOCKS that is no CONNECT");
	switch (d[3]) {
	case SOCKS_V4:
		size = 4;
		break;
	case SOCKS_V6:
		size = 16;
		break;
	case SOCKS_DOMAIN:
		start = 5;
		size = d[4];
		break;
	default:
		return bad_socks(r, SOCKS_NO_TYPE, e, "SOCKS with an unknown kind of address");
	}
	if (n < start + size + 2)
		return -EAGAIN;
	r->size = start + size + 2;
	r->port = (uint16_t)(d[start + size] << 8 | d[start + size + 1]);
	err = socks_address(d + start, d[3], size, r, e);
	if (err == 0 && r->port == 0)
		err = bad_socks(r, SOCKS_REFUSED, e, "no port");
	return err;
}

static int take_host(const struct http_text *t, uint16_t port, struct proxy_request *r,
	struct error *e)
{
	snprintf(r->said, sizeof(r->said), "%.*s", (int)t->n, t->at);
	text_clean(r->said);
	return egress_name_parse_port(t->at, t->n, port, &r->name, &r->port, e);
}

/* http://HOST[:PORT]/...: where HOST[:PORT] is. */
static int authority(const struct http_head *h, struct http_text *ret)
{
	static const char scheme[] = "http://";
	size_t start = sizeof(scheme) - 1, end = start;

	if (h->target.n <= start || strncasecmp(h->target.at, scheme, start) != 0)
		return -EINVAL;
	while (end < h->target.n && !strchr("/?#", h->target.at[end]))
		end++;
	*ret = (struct http_text){h->target.at + start, end - start};
	return 0;
}

/* Host says the same, or is not there: nobody may take it for the one that was decided about. */
static int same_host(const struct http_head *h, struct proxy_request *r, struct error *e)
{
	struct egress_name name;
	uint16_t port;

	if (!h->has_host)
		return 0;
	if (egress_name_parse_port(h->host.at, h->host.n, r->port, &name, &port, e) < 0)
		return -EINVAL;
	if (!streq(name.text, r->name.text))
		return error_set(e, -EINVAL, "Host is another than the request is for");
	return 0;
}

static int http(const char *data, size_t n, struct proxy_request *r, struct error *e)
{
	struct http_text where;
	struct http_head h;
	int err = http_head_parse(data, n, &h, e);

	if (err < 0)
		return err;
	r->size = h.size;
	if (http_text_is(&h.method, "connect")) {
		r->kind = PROXY_CONNECT;
		if (h.has_length || h.chunked)
			return error_set(e, -EINVAL, "CONNECT with a body");
		err = take_host(&h.target, 0, r, e);
	} else {
		r->kind = PROXY_HTTP;
		if (authority(&h, &where) < 0)
			return error_set(e, -EINVAL, "a request without http://: this is a proxy");
		err = take_host(&where, 80, r, e);
	}
	return err ?: same_host(&h, r, e);
}

int proxy_parse(const char *data, size_t n, bool greeted, struct proxy_request *ret,
	struct error *e)
{
	const uint8_t *d = (const uint8_t *)data;

	*ret = (struct proxy_request){.kind = PROXY_HTTP};
	if (n == 0)
		return -EAGAIN;
	if (greeted)
		return socks(d, n, ret, e);
	if (d[0] == SOCKS)
		return greeting(d, n, ret, e);
	if (http_guess(data, n) == HTTP_NO)
		return error_set(e, -EINVAL, "neither SOCKS5 nor HTTP/1");
	return http(data, n, ret, e);
}

static bool is_dropped(const struct http_text *name)
{
	static const char *const own[] = {"connection", "keep-alive", "proxy-connection",
		"proxy-authorization", "upgrade", "host"};

	for (size_t i = 0; i < ELEMENTSOF(own); i++)
		if (http_text_is(name, own[i]))
			return true;
	return false;
}

static void put(FILE *f, const struct http_text *t)
{
	fwrite(t->at, 1, t->n, f);
}

static void put_fields(FILE *f, const char *data, const struct http_head *h)
{
	struct http_text line, name, value;
	size_t at = h->line_size;

	while (http_line(data, h->size, &at, &line) == 0 && line.n > 0) {
		if (http_field(&line, &name, &value) < 0 || is_dropped(&name))
			continue;
		put(f, &line);
		fputs("\r\n", f);
	}
}

char *proxy_rewrite(const char *data, const struct proxy_request *r, size_t *ret_size)
{
	struct http_head h;
	struct http_text where, path;
	char *text = NULL;
	FILE *f;

	if (http_head_parse(data, r->size, &h, NULL) < 0 || authority(&h, &where) < 0)
		return NULL;
	path.at = where.at + where.n;
	path.n = h.target.n - (size_t)(path.at - h.target.at);
	f = open_memstream(&text, ret_size);
	if (!f)
		return NULL;
	put(f, &h.method);
	fputs(path.n > 0 && path.at[0] == '/' ? " " : " /", f);
	put(f, &path);
	fprintf(f, " HTTP/1.%u\r\nHost: ", h.minor);
	put(f, &where);
	fputs("\r\n", f);
	put_fields(f, data, &h);
	fputs("Connection: close\r\n\r\n", f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
