/* The DNS messages, and which address stands for which name. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/egress/control.h"
#include "lib/egress/dns.h"
#include "lib/egress/pool.h"

#define HEAD "\x12\x34\x01\x20\0\1\0\0\0\0\0\0" /* RD, AD */
#define HEAD_EDNS "\x12\x34\x01\x20\0\1\0\0\0\0\0\1"
#define NAME "\1A\4tEsT\0"
#define OPT "\0\0\x29\x04\xd0\0\0\0\0\0\0"
#define PARSE(text, q) dns_parse((const uint8_t *)(text), sizeof(text) - 1, q)

static void question(void **state)
{
	static const char m[] = HEAD NAME "\0\1\0\1";
	struct dns_query q;

	assert_int_equal(PARSE(m, &q), 0);
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.rcode, 0);
	assert_int_equal(q.type, DNS_A);
	assert_string_equal(q.name, "A.tEsT");
	assert_false(q.edns);
	assert_int_equal(q.question_size, sizeof(m) - 1 - 12);
	assert_int_equal(PARSE(HEAD_EDNS NAME "\0\x1c\0\1" OPT, &q), 0);
	assert_int_equal(q.rcode, 0);
	assert_int_equal(q.type, DNS_AAAA);
	assert_true(q.edns);
	/* a dot or a NUL in a label is no part of a name */
	assert_int_equal(PARSE(HEAD "\6a.test\0"
				    "\0\1\0\1",
				 &q),
		0);
	assert_string_equal(q.name, "");
	assert_int_equal(PARSE(HEAD "\3a\0b\0"
				    "\0\1\0\1",
				 &q),
		0);
	assert_string_equal(q.name, "");
	assert_int_equal(PARSE(HEAD "\0"
				    "\0\1\0\1",
				 &q),
		0);
	assert_string_equal(q.name, "");
}

static void answers_with(const char *m, size_t n, uint8_t rcode)
{
	struct dns_query q;

	assert_int_equal(dns_parse((const uint8_t *)m, n, &q), 0);
	assert_int_equal(q.rcode, rcode);
}

#define BAD(text, rcode) answers_with(text, sizeof(text) - 1, rcode)

static void bad_questions(void **state)
{
	struct dns_query q;
	uint8_t big[12 + 300] = {0, 1, 1, 0, 0, 1};

	assert_int_equal(PARSE("\x12\x34\x01\0\0\1\0\0\0\0\0", &q), -EBADMSG);
	assert_int_equal(PARSE("\x12\x34\x81\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1", &q), -EBADMSG);
	BAD("\x12\x34\x11\0\0\1\0\0\0\0\0\0" NAME "\0\1\0\1", DNS_NOTIMP);
	BAD("\x12\x34\x01\0\0\2\0\0\0\0\0\0" NAME "\0\1\0\1" NAME "\0\1\0\1", DNS_FORMERR);
	BAD("\x12\x34\x01\0\0\0\0\0\0\0\0\0", DNS_FORMERR);
	BAD("\x12\x34\x01\0\0\1\0\1\0\0\0\0" NAME "\0\1\0\1", DNS_FORMERR);
	BAD(HEAD NAME "\0\1\0", DNS_FORMERR);
	BAD(HEAD "\1a", DNS_FORMERR);
	BAD(HEAD "\xc0\x0c\0\1\0\1", DNS_FORMERR); /* a pointer to itself */
	BAD(HEAD "\x40"
		 "a\0\0\1\0\1",
		DNS_FORMERR);
	BAD(HEAD NAME "\0\1\0\1x", DNS_FORMERR); /* something behind it */
	BAD(HEAD_EDNS NAME "\0\1\0\1", DNS_FORMERR);
	BAD("\x12\x34\x01\0\0\1\0\0\0\0\0\2" NAME "\0\1\0\1" OPT OPT, DNS_FORMERR);
	BAD(HEAD_EDNS NAME "\0\1\0\1"
			   "\0\0\x29\4\xd0\0\1\0\0\0\0",
		DNS_BADVERS);
	BAD(HEAD NAME "\0\1\0\3", DNS_REFUSED); /* CH */
	BAD(HEAD NAME "\0\xfc\0\1", DNS_NOTIMP); /* AXFR */
	/* 256 bytes of a name */
	for (size_t i = 12; i < 12 + 254; i += 2) {
		big[i] = 1;
		big[i + 1] = 'a';
	}
	big[12 + 254 + 2] = 1;
	big[12 + 254 + 4] = 1;
	answers_with((char *)big, 12 + 254 + 5, 0);
	memmove(big + 14, big + 12, 260);
	big[12] = 1;
	big[13] = 'a';
	answers_with((char *)big, 12 + 256 + 5, DNS_FORMERR);
}

static void answers(void **state)
{
	static const char m[] = HEAD NAME "\0\1\0\1";
	static const char expected[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" NAME "\0\1\0\1"
				       "\xc0\x0c\0\1\0\1\0\0\0\x1e\0\4\xc6\x12\0\x10";
	struct dns_answer a = {
		.ede = DNS_EDE_NONE, .type = DNS_A, .address = {0xc6, 0x12, 0, 0x10}, .ttl = 30};
	uint8_t out[DNS_ANSWER_MAX];
	struct dns_query q;

	assert_int_equal(PARSE(m, &q), 0);
	assert_int_equal(dns_build((const uint8_t *)m, &q, &a, out), sizeof(expected) - 1);
	assert_memory_equal(out, expected, sizeof(expected) - 1);
	/* without EDNS there is no room for a reason */
	a = (struct dns_answer){.rcode = DNS_NXDOMAIN, .ede = DNS_EDE_BLOCKED, .ede_text = "no"};
	assert_int_equal(dns_build((const uint8_t *)m, &q, &a, out), sizeof(m) - 1);
	assert_int_equal(out[3], 0x83);
}

static void reasons(void **state)
{
	static const char m[] = HEAD_EDNS NAME "\0\1\0\1" OPT;
	static const char expected[] = "\x12\x34\x81\x83\0\1\0\0\0\0\0\1" NAME "\0\1\0\1"
				       "\0\0\x29\x04\xd0\0\0\0\0\0\x8\0\xf\0\4\0\xf"
				       "no";
	struct dns_answer a = {.rcode = DNS_NXDOMAIN, .ede = DNS_EDE_BLOCKED, .ede_text = "no"};
	char text[600];
	uint8_t out[DNS_ANSWER_MAX];
	struct dns_query q;

	assert_int_equal(PARSE(m, &q), 0);
	assert_int_equal(dns_build((const uint8_t *)m, &q, &a, out), sizeof(expected) - 1);
	assert_memory_equal(out, expected, sizeof(expected) - 1);
	/* what is too long is cut, between two characters */
	text[0] = 'x';
	for (size_t i = 1; i < sizeof(text) - 1; i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	text[sizeof(text) - 1] = '\0';
	a.ede_text = text;
	assert_in_range(dns_build((const uint8_t *)m, &q, &a, out), DNS_ANSWER_MAX - 1,
		DNS_ANSWER_MAX);
}

static void reverse(void **state)
{
	static const char m[] = HEAD NAME "\0\xc\0\1";
	struct dns_answer a = {.ede = DNS_EDE_NONE, .type = DNS_PTR, .target = "b.test", .ttl = 1};
	static const char expected[] = "\xc0\x0c\0\xc\0\1\0\0\0\1\0\x8\1b\4test";
	uint8_t out[DNS_ANSWER_MAX];
	struct dns_query q;
	uint32_t address;
	size_t n;

	assert_int_equal(PARSE(m, &q), 0);
	n = dns_build((const uint8_t *)m, &q, &a, out);
	assert_int_equal(n, sizeof(m) - 1 + sizeof(expected));
	assert_memory_equal(out + sizeof(m) - 1, expected, sizeof(expected));
	assert_int_equal(dns_reverse("16.0.18.198.in-addr.arpa", &address), 0);
	assert_int_equal(address, EGRESS_POOL_FIRST);
	assert_int_equal(dns_reverse("0.18.198.in-addr.arpa", &address), -EINVAL);
	assert_int_equal(dns_reverse("256.0.18.198.in-addr.arpa", &address), -EINVAL);
	assert_int_equal(dns_reverse("16.0.18.198.in-addr.arpa.b", &address), -EINVAL);
	assert_int_equal(dns_reverse("a.test", &address), -EINVAL);
}

static void pool_freep(struct egress_pool **p)
{
	egress_pool_free(*p);
}

static uint32_t get(struct egress_pool *p, const char *name, uint64_t now)
{
	uint32_t a = 0;

	assert_int_equal(egress_pool_get(p, name, now, &a), 0);
	assert_true(egress_pool_has(a));
	assert_true(a >= EGRESS_POOL_FIRST && a >> 17 == EGRESS_POOL_NET >> 17);
	assert_string_equal(egress_pool_name(p, a), name);
	return a;
}

static void pool(void **state)
{
	_cleanup_(pool_freep) struct egress_pool *p = egress_pool_new();
	_cleanup_(pool_freep) struct egress_pool *again = egress_pool_new();
	uint32_t a = get(p, "a.test", 0), b = get(p, "b.test", 0);

	assert_int_not_equal(a, b);
	assert_int_equal(get(p, "a.test", 1), a);
	assert_int_equal(get(again, "b.test", 0), b);
	assert_false(egress_pool_has(EGRESS_POOL_FIRST - 1));
	assert_false(egress_pool_has(EGRESS_POOL_NET | 0x1ffff));
	assert_null(egress_pool_name(p, EGRESS_POOL_FIRST - 1));
}

#define LONG_AFTER 100000

static void recycled(void **state)
{
	_cleanup_(pool_freep) struct egress_pool *p = egress_pool_new();
	uint32_t used = get(p, "used.test", 0), late = 0, other;
	char name[32];

	egress_pool_hold(p, used);
	for (unsigned i = 0; i < EGRESS_POOL_NAMES - 1; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		late = get(p, name, 10);
	}
	/* all can be remembered still */
	assert_int_equal(egress_pool_get(p, "more.test", 11, &other), -ENOSPC);
	assert_int_equal(get(p, name, LONG_AFTER), late);
	for (unsigned i = 0; i < 4 * EGRESS_POOL_NAMES; i++) {
		snprintf(name, sizeof(name), "m%u.test", i);
		if (egress_pool_get(p, name, LONG_AFTER + i, &other) < 0)
			break;
		assert_int_not_equal(other, used);
	}
	/* a connection keeps its name, and so does what was asked for a moment ago */
	assert_string_equal(egress_pool_name(p, used), "used.test");
	egress_pool_release(p, used, 2 * LONG_AFTER);
	assert_string_equal(egress_pool_name(p, used), "used.test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question),
		cmocka_unit_test(bad_questions),
		cmocka_unit_test(answers),
		cmocka_unit_test(reasons),
		cmocka_unit_test(reverse),
		cmocka_unit_test(pool),
		cmocka_unit_test(recycled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
