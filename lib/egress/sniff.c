#include "config.h"
#include "lib/egress/sniff.h"
#include "lib/egress/hello.h"
#include "lib/egress/http.h"

#include <errno.h>
#include <strings.h>

#define CHUNK_LINE_MAX 1024
#define WATCH_MAX 8192

void sniff_begin(struct sniff *s, const char *name, bool must)
{
	*s = (struct sniff){.name = name, .must = must, .state = name ? SNIFF_START : SNIFF_PASS};
}

/* One step's inputs and results. */
struct step {
	const char *data;
	size_t n;
	size_t pass;
	enum egress_reason reason;
	struct error *e;
};

static int refuse(struct step *t, enum egress_reason reason)
{
	t->reason = reason;
	return -EACCES;
}

static int must_be(const struct sniff *s, const char *text, size_t n, struct step *t)
{
	struct egress_name name;

	if (egress_name_parse(text, n, &name, NULL) == 0 && streq(name.text, s->name))
		return 0;
	error_set(t->e, -EACCES, "%.*s", n > 0 ? (int)(n < 200 ? n : 200) : 7,
		n > 0 ? text : "nothing");
	return refuse(t, EGRESS_OTHER_NAME);
}

static int look_hello(struct sniff *s, struct step *t)
{
	struct hello h;
	int err = hello_parse((const uint8_t *)t->data, t->n, &h, &s->need, t->e);

	if (err == -EAGAIN)
		return err;
	if (err < 0)
		return refuse(t, EGRESS_PROTOCOL);
	if (h.name[0] == '\0') {
		error_set(t->e, -EACCES, "TLS without a server name");
		return refuse(t, EGRESS_NO_NAME);
	}
	err = must_be(s, h.name, strlen(h.name), t);
	if (err < 0)
		return err;
	if (h.encrypted) {
		error_set(t->e, -EACCES, "an encrypted ClientHello (ECH)");
		return refuse(t, EGRESS_NO_NAME);
	}
	s->state = SNIFF_PASS;
	return 0;
}

static int look_start(struct sniff *s, struct step *t)
{
	enum http_guess guess;

	if (t->n < 2 && t->data[0] == 22)
		return -EAGAIN;
	if (hello_guess((const uint8_t *)t->data, t->n))
		return look_hello(s, t);
	guess = http_guess(t->data, t->n);
	if (guess == HTTP_PERHAPS && t->n < SNIFF_HOLD_MAX)
		return -EAGAIN;
	if (guess == HTTP_YES) {
		s->state = SNIFF_HEAD;
		return 0;
	}
	if (s->must) {
		error_set(t->e, -EACCES, "neither TLS nor HTTP");
		return refuse(t, EGRESS_PROTOCOL);
	}
	s->state = SNIFF_WATCH;
	s->left = WATCH_MAX;
	s->empty = true;
	return 0;
}

/*
 * Nothing that is held here could be told from a protocol that waits for an answer.  But servers
 * take as HTTP what http_guess() does not: empty lines before a request, methods in small letters.
 */
static int look_watch(struct sniff *s, struct step *t)
{
	static const char http[] = "HTTP/";

	for (size_t i = 0; i < t->n && s->left > 0; i++) {
		char c = t->data[i];

		s->left--;
		s->matched = c == http[s->matched] ? (uint8_t)(s->matched + 1) : c == 'H';
		if (http[s->matched] == '\0') {
			error_set(t->e, -EACCES, "HTTP in a form that is not read");
			return refuse(t, EGRESS_PROTOCOL);
		}
		if (c == '\n' && !s->empty)
			s->left = 0;
		if (!strchr(" \t\r\n", c) || c == '\0')
			s->empty = false;
	}
	t->pass += t->n;
	if (s->left == 0)
		s->state = SNIFF_PASS;
	return 0;
}

/* HOST or HOST:PORT, as it stands in Host and in an absolute target. */
static int host_must_be(const struct sniff *s, const struct http_text *host, struct step *t)
{
	struct egress_name name;
	uint16_t port;

	if (egress_name_parse_port(host->at, host->n, 80, &name, &port, NULL) == 0)
		return must_be(s, name.text, strlen(name.text), t);
	return must_be(s, host->at, host->n, t);
}

static int target_must_be(const struct sniff *s, const struct http_head *h, struct step *t)
{
	static const char *const schemes[] = {"http://", "https://"};

	if (h->target.at[0] == '/' || http_text_is(&h->target, "*"))
		return 0;
	for (size_t i = 0; i < ELEMENTSOF(schemes); i++) {
		size_t n = strlen(schemes[i]), end = n;

		if (h->target.n <= n || strncasecmp(h->target.at, schemes[i], n) != 0)
			continue;
		while (end < h->target.n && !strchr("/?#", h->target.at[end]))
			end++;
		return host_must_be(s, &(struct http_text){h->target.at + n, end - n}, t);
	}
	error_set(t->e, -EACCES, "a request that is for a proxy");
	return refuse(t, EGRESS_PROTOCOL);
}

static void next_request(struct sniff *s)
{
	s->state = s->upgrade ? SNIFF_UPGRADE : SNIFF_HEAD;
}

/* A head that comes byte by byte is not parsed at each of them, but at each line. */
static bool worth_parsing(struct sniff *s, const struct step *t)
{
	const char *end = memrchr(t->data, '\n', t->n);
	size_t lines = end ? (size_t)(end - t->data) + 1 : 0;

	if (lines <= s->seen && t->n < HTTP_HEAD_MAX)
		return false;
	s->seen = lines;
	return true;
}

static int look_head(struct sniff *s, struct step *t)
{
	struct http_head h;
	int err = worth_parsing(s, t) ? http_head_parse(t->data, t->n, &h, t->e) : -EAGAIN;

	if (err == -EAGAIN)
		return err;
	if (err < 0)
		return refuse(t, EGRESS_PROTOCOL);
	if (!h.has_host) {
		error_set(t->e, -EACCES, "HTTP without Host");
		return refuse(t, EGRESS_NO_NAME);
	}
	err = host_must_be(s, &h.host, t) ?: target_must_be(s, &h, t);
	if (err < 0)
		return err;
	/* The answer to a later one could not be told from those before it. */
	s->upgrade = h.upgrade && !s->requested;
	s->requested = true;
	s->seen = 0;
	s->left = h.has_length ? h.length : 0;
	s->state = h.chunked ? SNIFF_CHUNK : SNIFF_BODY;
	if (!h.chunked && s->left == 0)
		next_request(s);
	t->pass += h.size;
	return 0;
}

static int look_body(struct sniff *s, struct step *t)
{
	size_t n = s->left < t->n ? (size_t)s->left : t->n;

	t->pass += n;
	s->left -= n;
	if (s->left == 0)
		next_request(s);
	return 0;
}

static int bad_chunk(struct step *t)
{
	error_set(t->e, -EACCES, "a broken chunk");
	return refuse(t, EGRESS_PROTOCOL);
}

static int take_line(struct step *t, size_t max, struct http_text *ret)
{
	size_t at = 0;
	int err = http_line(t->data, t->n, &at, ret);

	if (err == -EINVAL || (err == -EAGAIN && t->n > max))
		return bad_chunk(t);
	if (err == 0)
		t->pass += at;
	return err;
}

static int look_chunk(struct sniff *s, struct step *t)
{
	struct http_text line;
	uint64_t size = 0;
	size_t digits = 0;
	int err = take_line(t, CHUNK_LINE_MAX, &line);

	if (err < 0)
		return err;
	for (; digits < line.n && digits < 15; digits++) {
		const char *hex = "0123456789abcdef", *c;
		char digit = line.at[digits];

		if (digit >= 'A' && digit <= 'F')
			digit = (char)(digit + 32);
		c = strchr(hex, digit);
		if (!c)
			break;
		size = size << 4 | (uint64_t)(c - hex);
	}
	/* an extension has no line of its own, and nobody uses one: none is let through */
	if (digits == 0 || digits != line.n)
		return bad_chunk(t);
	s->left = size + 2;
	s->state = size > 0 ? SNIFF_CHUNK_DATA : SNIFF_TRAILERS;
	return 0;
}

static int look_chunk_data(struct sniff *s, struct step *t)
{
	size_t n = 0;

	if (s->left > 2) {
		n = s->left - 2 < t->n ? (size_t)(s->left - 2) : t->n;
		s->left -= n;
	}
	for (; s->left > 0 && s->left <= 2 && n < t->n; s->left--, n++)
		if (t->data[n] != (s->left == 2 ? '\r' : '\n'))
			return bad_chunk(t);
	t->pass += n;
	if (s->left == 0)
		s->state = SNIFF_CHUNK;
	return 0;
}

static int look_trailers(struct sniff *s, struct step *t)
{
	struct http_text line, name, value;
	int err = take_line(t, CHUNK_LINE_MAX * 8, &line);

	if (err < 0)
		return err;
	if (line.n == 0)
		next_request(s);
	else if (http_field(&line, &name, &value) < 0)
		return bad_chunk(t);
	return 0;
}

static int look(struct sniff *s, struct step *t)
{
	switch ((enum sniff_state)s->state) {
	case SNIFF_START:
		return look_start(s, t);
	case SNIFF_WATCH:
		return look_watch(s, t);
	case SNIFF_HEAD:
		return look_head(s, t);
	case SNIFF_BODY:
		return look_body(s, t);
	case SNIFF_CHUNK:
		return look_chunk(s, t);
	case SNIFF_CHUNK_DATA:
		return look_chunk_data(s, t);
	case SNIFF_TRAILERS:
		return look_trailers(s, t);
	case SNIFF_PASS:
		t->pass += t->n;
		return 0;
	case SNIFF_UPGRADE:
		break;
	}
	return -EAGAIN;
}

int sniff_client(struct sniff *s, const char *data, size_t n, size_t *ret_pass,
	enum egress_reason *ret_reason, struct error *e)
{
	size_t passed = 0;

	while (passed < n && n - passed >= s->need) {
		struct step t = {.data = data + passed, .n = n - passed, .e = e};
		int err;

		s->need = 0;
		err = look(s, &t);
		if (err == -EAGAIN)
			break;
		if (err < 0) {
			*ret_reason = t.reason;
			return err;
		}
		passed += t.pass;
	}
	*ret_pass = passed;
	return 0;
}

bool sniff_server(struct sniff *s, const char *data, size_t n)
{
	static const char switching[] = "HTTP/1.1 101";

	if (!s->upgrade)
		return false;
	for (size_t i = 0; i < n && s->answer_n < sizeof(s->answer); i++)
		s->answer[s->answer_n++] = data[i];
	if (s->answer_n < sizeof(s->answer))
		return false;
	s->upgrade = false;
	if (memcmp(s->answer, switching, sizeof(s->answer)) == 0 && s->state == SNIFF_UPGRADE)
		s->state = SNIFF_PASS;
	else if (s->state == SNIFF_UPGRADE)
		s->state = SNIFF_HEAD;
	return true;
}
