/* The first bytes of a connection against the name; what is said to a proxy. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/egress/hello.h"
#include "lib/egress/proxy.h"
#include "lib/egress/sniff.h"

/* --- ClientHello ------------------------------------------------------------------------------ */

struct message {
	uint8_t bytes[70000];
	size_t n;
};

static void add(struct message *m, const void *p, size_t n)
{
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}

static void add16(struct message *m, size_t v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	add(m, b, 2);
}

static void add_extension(struct message *m, unsigned type, const void *p, size_t n)
{
	add16(m, type);
	add16(m, n);
	add(m, p, n);
}

static void add_name(struct message *m, const char *name)
{
	struct message x = {.n = 0};

	add16(&x, strlen(name) + 3);
	add(&x, "", 1);
	add16(&x, strlen(name));
	add(&x, name, strlen(name));
	add_extension(m, 0, x.bytes, x.n);
}

/* The handshake message with these extensions, in records of at most `piece` bytes. */
static void in_records(struct message *m, const struct message *ext, size_t piece)
{
	static struct message h;
	static const uint8_t start[35] = {3, 3};
	const uint8_t rest[] = {0, 0, 2, 0x13, 0x01, 1, 0};
	size_t size = sizeof(start) - 1 + sizeof(rest) + 2 + ext->n;

	h.n = 0;
	add(&h, "\1\0", 2);
	add16(&h, size);
	add(&h, start, sizeof(start) - 1);
	add(&h, rest, sizeof(rest));
	add16(&h, ext->n);
	add(&h, ext->bytes, ext->n);
	m->n = 0;
	for (size_t at = 0; at < h.n; at += piece) {
		size_t n = h.n - at < piece ? h.n - at : piece;

		add(m, "\x16\3\1", 3);
		add16(m, n);
		add(m, h.bytes + at, n);
	}
}

static struct message ext, hello;

static void hello_for(const char *name, size_t piece)
{
	ext.n = 0;
	add_extension(&ext, 10, "\0\2\0\x1d", 4);
	if (name)
		add_name(&ext, name);
	in_records(&hello, &ext, piece);
}

/*
 * What becomes of these bytes when they come in steps of `step`: 0 and how many went on, or the
 * reason of the refusal.
 */
static enum egress_reason fed(struct sniff *s, const void *data, size_t n, size_t step,
	size_t *ret_passed)
{
	size_t passed = 0;

	for (size_t there = 0; there < n;) {
		enum egress_reason reason = 0;
		struct error e = {0};
		size_t more;

		there = n - there < step ? n : there + step;
		if (sniff_client(s, (const char *)data + passed, there - passed, &more, &reason,
			    &e) < 0) {
			assert_true(reason != 0 && e.text[0] != '\0');
			return reason;
		}
		passed += more;
	}
	*ret_passed = passed;
	return 0;
}

static void expect(const char *name, bool must, const void *data, size_t n, size_t passed,
	enum egress_reason reason)
{
	static const size_t steps[] = {100000, 1, 2, 7, 100};

	for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
		enum egress_reason got;
		struct sniff s;
		size_t p = 0;

		sniff_begin(&s, name, must);
		got = fed(&s, data, n, steps[i], &p);
		if (got != reason)
			fail_msg("by %zu: %s instead of %s", steps[i],
				got ? egress_reason_text(got) : "let through",
				reason ? egress_reason_text(reason) : "let through");
		if (reason == 0)
			assert_int_equal(p, passed);
	}
}

static void hello_is(const char *name, enum egress_reason reason)
{
	expect(name, true, hello.bytes, hello.n, hello.n, reason);
	expect(name, false, hello.bytes, hello.n, hello.n, reason);
}

static void tls(void **state)
{
	static const size_t pieces[] = {16384, 1, 3, 40};

	for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
		hello_for("a.test", pieces[i]);
		hello_is("a.test", 0);
		hello_is("b.test", EGRESS_OTHER_NAME);
		/* nothing goes on before all is there */
		expect("a.test", true, hello.bytes, hello.n - 1, 0, 0);
		expect("a.test", false, hello.bytes, hello.n - 1, 0, 0);
	}
	hello_for("A.Test.", 16384);
	hello_is("a.test", 0);
	hello_for("evila.test", 16384);
	hello_is("a.test", EGRESS_OTHER_NAME);
	hello_for(NULL, 16384);
	hello_is("a.test", EGRESS_NO_NAME);
	/* afterwards everything passes */
	hello_for("a.test", 16384);
	add(&hello, "\x17\3\3\0\1x", 6);
	hello_is("a.test", 0);
}

static void bad_tls(void **state)
{
	hello_for("a.test", 16384);
	add_extension(&ext, 0xfe0d, "\0", 1);
	in_records(&hello, &ext, 16384);
	hello_is("a.test", EGRESS_NO_NAME); /* ECH */
	hello_for("a.test", 16384);
	add_name(&ext, "b.test");
	in_records(&hello, &ext, 16384);
	hello_is("a.test", EGRESS_PROTOCOL); /* two names */
	hello_for("a.test", 16384);
	hello.bytes[5] = 2; /* another message */
	hello_is("a.test", EGRESS_PROTOCOL);
	hello_for("a.test", 16);
	hello.bytes[21] = 21; /* the second record is an alert */
	hello_is("a.test", EGRESS_PROTOCOL);
	hello_for("a.test", 16384);
	hello.bytes[7]++; /* 256 bytes more than there are: it never ends */
	expect("a.test", true, hello.bytes, hello.n, 0, 0);
	hello_for("a.test", 16384);
	hello.bytes[hello.n - 8]++; /* the name's length */
	hello_is("a.test", EGRESS_PROTOCOL);
	hello_for("a.test", 16384);
	hello.bytes[6] = 2; /* 128 KiB */
	hello_is("a.test", EGRESS_PROTOCOL);
}

static void unlooked(void **state)
{
	hello_for("b.test", 16384);
	expect(NULL, true, hello.bytes, hello.n, hello.n, 0);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

#define PASSES(text) expect("a.test", true, text, strlen(text), strlen(text), 0)
#define PASSES_ELSEWHERE(text) expect("a.test", false, text, strlen(text), strlen(text), 0)
#define HOLDS(text, n) expect("a.test", true, text, strlen(text), n, 0)
#define REFUSES(text, reason) expect("a.test", true, text, strlen(text), 0, reason)
#define GET(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

static void http(void **state)
{
	PASSES(GET("a.test"));
	PASSES(GET("A.TEST.:8080"));
	PASSES("GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n");
	PASSES("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n");
	PASSES("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
	PASSES(GET("a.test") GET("a.test") GET("a.test"));
	PASSES("POST / HTTP/1.1\r\nhost:a.test\r\nContent-Length: 5\r\n\r\nhello" GET("a.test"));
	PASSES("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
	       "5\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX: y\r\n\r\n" GET("a.test"));
	HOLDS("GET / HTTP/1.1\r\nHost: a.test\r\n", 0);
	HOLDS("GET /", 0);
	HOLDS(GET("a.test") "GET / HTTP", strlen(GET("a.test")));
}

static void other_hosts(void **state)
{
	REFUSES(GET("b.test"), EGRESS_OTHER_NAME);
	REFUSES(GET("a.test.b.test"), EGRESS_OTHER_NAME);
	REFUSES(GET("a.test@b.test"), EGRESS_OTHER_NAME);
	REFUSES(GET("a.test b.test"), EGRESS_OTHER_NAME);
	REFUSES(GET("a.test, b.test"), EGRESS_OTHER_NAME);
	REFUSES(GET(""), EGRESS_OTHER_NAME);
	REFUSES(GET("127.0.0.1"), EGRESS_OTHER_NAME);
	REFUSES("GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n", EGRESS_OTHER_NAME);
	REFUSES("GET / HTTP/1.1\r\n\r\n", EGRESS_NO_NAME);
	/* the second request of a connection */
	REFUSES(GET("a.test") GET("b.test"), EGRESS_OTHER_NAME);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello" GET("b.test"),
		EGRESS_OTHER_NAME);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n" GET("b.test"),
		EGRESS_OTHER_NAME);
}

static void smuggled(void **state)
{
	REFUSES("GET / HTTP/1.1\nHost: a.test\n\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1\r\nHost: a.test\n\r\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1\r\nHost: a.test\rX: y\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1\r\nHost: a.test\r\n Host: b.test\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1\r\nHost : a.test\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1\r\nHost: a.test\r\nno field\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n\r\n",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n"
		"Content-Length: 6\r\n\r\n",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +5\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 99999999999999999999\r\n\r\n",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"
		"5\r\nhelloXX",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
		EGRESS_PROTOCOL);
	REFUSES("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\n",
		EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/1.1 \r\nHost: a.test\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("GET / HTTP/2.0\r\nHost: a.test\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", EGRESS_PROTOCOL);
	REFUSES("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n", EGRESS_PROTOCOL);
	expect("a.test", true, "GET / HTTP/1.1\r\nHost: a.test\0\r\n\r\n", 33, 0, EGRESS_PROTOCOL);
}

static void other_protocols(void **state)
{
	static const char ssh[] = "SSH-2.0-x\r\n", redis[] = "PING\r\n", binary[] = "\0\0\0\1";
	static const char *const odd[] = {"\r\nGET / HTTP/1.1\r\nHost: b.test\r\n\r\n",
		"\n \nGET / HTTP/1.1\r\nHost: b.test\r\n\r\n",
		"get / HTTP/1.1\r\nHost: b.test\r\n\r\n", "M-GET / HTTP/1.1\r\nHost: b.test\r\n\r\n",
		" GET / HTTP/1.1\r\nHost: b.test\r\n\r\n", "GET\t/\tHTTP/1.1\r\nHost: b.test\r\n\r\n",
		"GET / HHTTP/1.1\r\n"};
	static char big[SNIFF_HOLD_MAX + 100];
	struct sniff s;
	size_t passed;

	REFUSES(ssh, EGRESS_PROTOCOL);
	REFUSES(redis, EGRESS_PROTOCOL);
	expect("a.test", false, ssh, sizeof(ssh) - 1, sizeof(ssh) - 1, 0);
	expect("a.test", false, redis, sizeof(redis) - 1, sizeof(redis) - 1, 0);
	expect("a.test", false, binary, 4, 4, 0);
	expect("a.test", false, GET("b.test"), strlen(GET("b.test")), 0, EGRESS_OTHER_NAME);
	/* what some servers take for HTTP all the same */
	for (size_t i = 0; i < ELEMENTSOF(odd); i++) {
		static const size_t steps[] = {1000, 1, 3};

		for (size_t k = 0; k < ELEMENTSOF(steps); k++) {
			sniff_begin(&s, "a.test", false);
			assert_int_equal(fed(&s, odd[i], strlen(odd[i]), steps[k], &passed),
				EGRESS_PROTOCOL);
		}
	}
	PASSES_ELSEWHERE("PING x\r\nGET / HTTP/1.1\r\n");
	PASSES_ELSEWHERE("JDWP-Handshake");
	PASSES_ELSEWHERE("HHTTP\r\n");
	/* a head without an end */
	snprintf(big, sizeof(big), "GET / HTTP/1.1\r\nX: ");
	memset(big + 19, 'x', sizeof(big) - 19);
	sniff_begin(&s, "a.test", true);
	assert_int_equal(fed(&s, big, sizeof(big), sizeof(big), &passed), EGRESS_PROTOCOL);
	assert_false(sniff_server_may(&(struct sniff){.must = true}));
	assert_true(sniff_server_may(&(struct sniff){.must = false}));
}

#define UPGRADE "GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\n\r\n"

static void upgrades(void **state)
{
	static const char frame[] = "\x81\0", get[] = GET("b.test");
	static const char *const others[] = {"Upgrade: h2c\r\n", "Upgrade: h2c, websocket\r\n",
		"Upgrade: websocket, h2c\r\n", "Upgrade: h2c\r\nUpgrade: websocket\r\n",
		"Upgrade: websocket\r\nUpgrade: h2c\r\n", "Upgrade: TLS/1.0\r\n"};
	struct sniff s;
	size_t passed = 0;

	sniff_begin(&s, "a.test", true);
	assert_int_equal(fed(&s, UPGRADE, strlen(UPGRADE), 1000, &passed), 0);
	assert_int_equal(passed, strlen(UPGRADE));
	assert_int_equal(fed(&s, frame, 2, 2, &passed), 0);
	assert_int_equal(passed, 0); /* until the server has agreed */
	assert_false(sniff_server(&s, "HTTP/1", 6));
	assert_true(sniff_server(&s, ".1 101 Sw", 9));
	assert_int_equal(fed(&s, frame, 2, 2, &passed), 0);
	assert_int_equal(passed, 2);
	/* a server that does not */
	sniff_begin(&s, "a.test", true);
	assert_int_equal(fed(&s, UPGRADE, strlen(UPGRADE), 1000, &passed), 0);
	assert_true(sniff_server(&s, "HTTP/1.1 200 OK\r\n", 17));
	assert_int_equal(fed(&s, get, sizeof(get) - 1, 100, &passed), EGRESS_OTHER_NAME);
	/* to HTTP/2 there is none, nor to what the server could take for it, nor to TLS */
	for (size_t i = 0; i < ELEMENTSOF(others); i++) {
		char head[128];
		int n = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a.test\r\n%s\r\n",
			others[i]);

		sniff_begin(&s, "a.test", true);
		assert_int_equal(fed(&s, head, (size_t)n, (size_t)n, &passed), 0);
		assert_false(sniff_server(&s, "HTTP/1.1 101 Switching", 22));
		assert_int_equal(fed(&s, "PRI * HTTP/2.0\r\n\r\n", 18, 18, &passed),
			EGRESS_PROTOCOL);
	}
}

/* --- a proxy ---------------------------------------------------------------------------------- */

static void asks(const char *data, size_t n, bool greeted, enum proxy_kind kind, const char *name,
	uint16_t port)
{
	struct proxy_request r;
	struct error e = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(proxy_parse(data, i, greeted, &r, &e), -EAGAIN);
	if (proxy_parse(data, n, greeted, &r, &e) < 0)
		fail_msg("%s: %s", name, e.text);
	assert_int_equal(r.kind, kind);
	assert_int_equal(r.size, n);
	assert_string_equal(r.name.text, name);
	assert_int_equal(r.port, port);
}

static void asks_badly(const char *data, size_t n, bool greeted)
{
	struct proxy_request r;
	struct error e = {0};

	assert_int_equal(proxy_parse(data, n, greeted, &r, &e), -EINVAL);
	assert_true(e.text[0] != '\0');
}

#define ASKS(text, greeted, ...) asks(text, sizeof(text) - 1, greeted, __VA_ARGS__)
#define ASKS_BADLY(text, greeted) asks_badly(text, sizeof(text) - 1, greeted)

static void socks(void **state)
{
	struct proxy_request r;

	ASKS("\5\2\2\0", false, PROXY_SOCKS_GREETING, "", 0);
	ASKS("\5\1\0\3\6A.test\1\xbb", true, PROXY_SOCKS, "a.test", 443);
	ASKS("\5\1\0\1\xcb\0\x71\7\0\x50", true, PROXY_SOCKS, "203.0.113.7", 80);
	ASKS("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\x50", true, PROXY_SOCKS,
		"::ffff:127.0.0.1", 80);
	ASKS("\5\1\0\3\x9"
	     "127.0.0.1\0\x50",
		true, PROXY_SOCKS, "127.0.0.1", 80);
	ASKS_BADLY("\5\1\2", false); /* with a password only */
	ASKS_BADLY("\4\1\0\x50\x7f\0\0\1\0", false);
	ASKS_BADLY("\5\2\0\1\xcb\0\x71\7\0\x50", true); /* BIND */
	ASKS_BADLY("\5\1\0\2\xcb\0\x71\7\0\x50", true);
	ASKS_BADLY("\5\1\0\3\5"
		   "127.1\0\x50",
		true);
	ASKS_BADLY("\5\1\0\3\3a\0b\0\x50", true);
	ASKS_BADLY("\5\1\0\3\0\0\x50", true);
	ASKS_BADLY("\5\1\0\3\6a.test\0\0", true); /* no port */
	assert_int_equal(proxy_parse("\5\2\0\1\1\1", 6, true, &r, NULL), -EINVAL);
	assert_int_equal(r.socks_error, 7);
}

static void connects(void **state)
{
	ASKS("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", false, PROXY_CONNECT,
		"a.test", 443);
	ASKS("CONNECT [2001:db8::1]:443 HTTP/1.0\r\n\r\n", false, PROXY_CONNECT, "2001:db8::1",
		443);
	ASKS("GET http://a.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n", false, PROXY_HTTP, "a.test",
		80);
	ASKS("GET http://A.test:81 HTTP/1.1\r\nHost: a.test\r\n\r\n", false, PROXY_HTTP, "a.test",
		81);
	ASKS_BADLY("CONNECT a.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n", false);
	ASKS_BADLY("CONNECT a.test HTTP/1.1\r\n\r\n", false);
	ASKS_BADLY("CONNECT a.test:443:80 HTTP/1.1\r\n\r\n", false);
	ASKS_BADLY("CONNECT a.test%00:443 HTTP/1.1\r\n\r\n", false);
	ASKS_BADLY("CONNECT 127.1:443 HTTP/1.1\r\n\r\n", false);
	ASKS_BADLY("CONNECT a.test:443 HTTP/1.1\nHost: a.test\n\n", false);
	ASKS_BADLY("CONNECT a.test:443 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", false);
	ASKS_BADLY("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", false);
	ASKS_BADLY("GET https://a.test/ HTTP/1.1\r\n\r\n", false);
	ASKS_BADLY("GET http://a.test@b.test/ HTTP/1.1\r\n\r\n", false);
	ASKS_BADLY("GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n", false);
	ASKS_BADLY("hello", false);
	ASKS_BADLY("\x16\3\1", false);
}

static void rewritten(void **state)
{
	static const char request[] = "POST http://a.test:81?q HTTP/1.1\r\nHost: a.test:81\r\n"
				      "Proxy-Authorization: x\r\nConnection: keep-alive\r\n"
				      "Content-Length: 2\r\nA: b\r\n\r\nhi";
	struct proxy_request r;
	_cleanup_free_ char *text = NULL;
	size_t n;

	assert_int_equal(proxy_parse(request, sizeof(request) - 1, false, &r, NULL), 0);
	assert_int_equal(r.size, sizeof(request) - 3);
	text = proxy_rewrite(request, &r, &n);
	assert_non_null(text);
	assert_string_equal(text,
		"POST /?q HTTP/1.1\r\nHost: a.test:81\r\nContent-Length: 2\r\n"
		"A: b\r\nConnection: close\r\n\r\n");
	assert_int_equal(n, strlen(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls),
		cmocka_unit_test(bad_tls),
		cmocka_unit_test(unlooked),
		cmocka_unit_test(http),
		cmocka_unit_test(other_hosts),
		cmocka_unit_test(smuggled),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(upgrades),
		cmocka_unit_test(socks),
		cmocka_unit_test(connects),
		cmocka_unit_test(rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
