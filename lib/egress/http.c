#include "config.h"
#include "lib/egress/http.h"

#include <errno.h>
#include <strings.h>

#define METHOD_MAX 24

static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const struct http_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!is_token_char(t->at[i]))
			return false;
	return t->n > 0;
}

bool http_text_is(const struct http_text *t, const char *lower_case)
{
	return t->n == strlen(lower_case) && strncasecmp(t->at, lower_case, t->n) == 0;
}

enum http_guess http_guess(const char *data, size_t n)
{
	static const char version[] = " HTTP/";
	size_t method = 0, target;

	while (method < n && data[method] >= 'A' && data[method] <= 'Z')
		method++;
	if (method > METHOD_MAX || (method < n && (method == 0 || data[method] != ' ')))
		return HTTP_NO;
	if (method == n)
		return HTTP_PERHAPS;
	for (target = method + 1; target < n && data[target] != ' '; target++)
		if ((unsigned char)data[target] < ' ' || data[target] == 0x7f)
			return HTTP_NO;
	if (n - target < sizeof(version) - 1) {
		if (memcmp(data + target, version, n - target) != 0)
			return HTTP_NO;
		return n < HTTP_HEAD_MAX ? HTTP_PERHAPS : HTTP_NO;
	}
	return memcmp(data + target, version, sizeof(version) - 1) == 0 ? HTTP_YES : HTTP_NO;
}

int http_line(const char *data, size_t n, size_t *at, struct http_text *ret)
{
	const char *start = data + *at;
	const char *end = memchr(start, '\n', n - *at);
	size_t size;

	if (!end)
		return -EAGAIN;
	size = (size_t)(end - start);
	if (size == 0 || end[-1] != '\r' || memchr(start, '\r', size - 1) || memchr(start, 0, size))
		return -EINVAL;
	*ret = (struct http_text){start, size - 1};
	*at += size + 1;
	return 0;
}

static void trim(struct http_text *t)
{
	while (t->n > 0 && (t->at[0] == ' ' || t->at[0] == '\t')) {
		t->at++;
		t->n--;
	}
	while (t->n > 0 && (t->at[t->n - 1] == ' ' || t->at[t->n - 1] == '\t'))
		t->n--;
}

int http_field(const struct http_text *line, struct http_text *ret_name,
	struct http_text *ret_value)
{
	const char *colon = memchr(line->at, ':', line->n);
	struct http_text name, value;

	if (!colon)
		return -EINVAL;
	name = (struct http_text){line->at, (size_t)(colon - line->at)};
	value = (struct http_text){colon + 1, line->n - name.n - 1};
	/* also what begins with a blank, and so would go on with the line before */
	if (!is_token(&name))
		return -EINVAL;
	trim(&value);
	*ret_name = name;
	*ret_value = value;
	return 0;
}

static int request_line(const struct http_text *line, struct http_head *h)
{
	const char *first = memchr(line->at, ' ', line->n);
	const char *last = memrchr(line->at, ' ', line->n);
	struct http_text version;

	if (!first || first == last)
		return -EINVAL;
	h->method = (struct http_text){line->at, (size_t)(first - line->at)};
	h->target = (struct http_text){first + 1, (size_t)(last - first - 1)};
	version = (struct http_text){last + 1, line->n - (size_t)(last + 1 - line->at)};
	if (version.n != 8 || memcmp(version.at, "HTTP/1.", 7) != 0 ||
		(version.at[7] != '0' && version.at[7] != '1'))
		return -EINVAL;
	h->minor = version.at[7] == '1';
	for (size_t i = 0; i < h->target.n; i++)
		if ((unsigned char)h->target.at[i] <= ' ' || h->target.at[i] == 0x7f)
			return -EINVAL;
	return is_token(&h->method) && h->target.n > 0 ? 0 : -EINVAL;
}

static int content_length(const struct http_text *value, struct http_head *h)
{
	if (h->has_length || value->n == 0 || value->n > 18)
		return -EINVAL;
	for (size_t i = 0; i < value->n; i++) {
		if (value->at[i] < '0' || value->at[i] > '9')
			return -EINVAL;
		h->length = h->length * 10 + (uint64_t)(value->at[i] - '0');
	}
	h->has_length = true;
	return 0;
}

static int take_field(struct http_head *h, const struct http_text *name,
	const struct http_text *value, struct error *e)
{
	if (http_text_is(name, "host")) {
		if (h->has_host)
			return error_set(e, -EINVAL, "two Host fields");
		h->has_host = true;
		h->host = *value;
	} else if (http_text_is(name, "content-length")) {
		if (content_length(value, h) < 0)
			return error_set(e, -EINVAL, "a bad Content-Length");
	} else if (http_text_is(name, "transfer-encoding")) {
		if (h->chunked || !http_text_is(value, "chunked") || h->minor == 0)
			return error_set(e, -EINVAL, "a bad Transfer-Encoding");
		h->chunked = true;
	} else if (http_text_is(name, "upgrade")) {
		/* Of a list, or of two fields, the server chooses: it could choose HTTP/2. */
		h->upgrade = !h->has_upgrade && http_text_is(value, "websocket");
		h->has_upgrade = true;
	}
	return 0;
}

static int fields(const char *data, size_t n, size_t *at, struct http_head *h, struct error *e)
{
	for (;;) {
		struct http_text line, name, value;
		int err = http_line(data, n, at, &line);

		if (err == -EINVAL)
			return error_set(e, -EINVAL, "a line does not end in CRLF, or has a NUL");
		if (err < 0)
			return err;
		if (line.n == 0)
			break;
		if (http_field(&line, &name, &value) < 0)
			return error_set(e, -EINVAL, "a field is not NAME: VALUE");
		err = take_field(h, &name, &value, e);
		if (err < 0)
			return err;
	}
	if (h->chunked && h->has_length)
		return error_set(e, -EINVAL, "both Content-Length and Transfer-Encoding");
	return 0;
}

int http_head_parse(const char *data, size_t n, struct http_head *ret, struct error *e)
{
	struct http_head h = {0};
	struct http_text line;
	size_t at = 0;
	int err = http_line(data, n, &at, &line);

	if (err == 0) {
		h.line_size = at;
		if (request_line(&line, &h) < 0)
			return error_set(e, -EINVAL, "no request line of HTTP/1");
		err = fields(data, n, &at, &h, e);
	} else if (err == -EINVAL) {
		error_set(e, err, "a line does not end in CRLF, or has a NUL");
	}
	if (err == -EAGAIN && n >= HTTP_HEAD_MAX)
		return error_set(e, -EINVAL, "a head of more than %d bytes", HTTP_HEAD_MAX);
	if (err < 0)
		return err;
	h.size = at;
	*ret = h;
	return 0;
}
