/* Names made canonical, the rules, and what no name may lead to. */
#include "config.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include "lib/egress/decide.h"
#include "lib/egress/forbidden.h"

static void becomes(const char *written, const char *canonical)
{
	struct egress_name n;
	struct error e = {0};

	if (egress_name_parse(written, strlen(written), &n, &e) < 0)
		fail_msg("%s: %s", written, e.text);
	assert_string_equal(n.text, canonical);
}

static void refused(const char *written, size_t size)
{
	struct egress_name n;
	struct error e = {0};

	if (egress_name_parse(written, size, &n, &e) != -EINVAL)
		fail_msg("'%s' was taken for %s", written, n.text);
	assert_true(e.text[0] != '\0');
}

static void names(void **state)
{
	becomes("example.com", "example.com");
	becomes("EXAMPLE.Com.", "example.com");
	becomes("a_b.example", "a_b.example");
	becomes("localhost", "localhost");
	becomes("bücher.example", "xn--bcher-kva.example");
	becomes("BÜCHER.example.", "xn--bcher-kva.example");
	becomes("xn--bcher-kva.example", "xn--bcher-kva.example");
	becomes("faß.example", "xn--fa-hia.example");
	/* a Cyrillic а is another name */
	becomes("\xd0\xb0pple.example", "xn--pple-43d.example");
	becomes("1.example", "1.example");
	becomes("192.0.2.1.example", "192.0.2.1.example");
	becomes("192.0.2.1", "192.0.2.1");
	becomes("[2001:DB8:0::1]", "2001:db8::1");
	becomes("::ffff:127.0.0.1", "::ffff:127.0.0.1");
	becomes("0xg.example", "0xg.example");
}

#define REFUSED(text) refused(text, sizeof(text) - 1)

static void no_names(void **state)
{
	char long_label[70], long_name[300];

	REFUSED("");
	REFUSED(".");
	REFUSED("..");
	REFUSED("a..b");
	REFUSED(".a");
	REFUSED("a.b..");
	REFUSED("127.1");
	REFUSED("0x7f.1");
	REFUSED("2130706433");
	REFUSED("0x7f000001");
	REFUSED("017700000001");
	REFUSED("127.0.0.01");
	REFUSED("127.0.0.1.");
	REFUSED("1.2.3.4.5");
	REFUSED("a.0x");
	REFUSED("256.1.1.1");
	REFUSED("fe80::1%lo");
	REFUSED("[::1");
	REFUSED("[]");
	REFUSED("[");
	REFUSED("[example.com]");
	REFUSED("a\0b");
	REFUSED("example.com\0.evil.test");
	REFUSED("a\rb");
	REFUSED("a b");
	REFUSED("a%00b");
	REFUSED("a/b");
	REFUSED("user@example.com");
	REFUSED("example.com:80");
	REFUSED("-a.example");
	REFUSED("\xff\xfe");
	REFUSED("\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.1"); /* full-width 127 */
	REFUSED("\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97\xe3\x80\x82"
		"0.0.1"); /* and a stop */
	memset(long_label, 'a', 64);
	long_label[64] = '\0';
	refused(long_label, 64);
	long_label[63] = '\0';
	becomes(long_label, long_label);
	for (size_t i = 0; i < 254; i++)
		long_name[i] = i % 2 ? '.' : 'a';
	long_name[253] = 'a';
	long_name[254] = '\0';
	refused(long_name, 254);
	refused(long_name, 253 + 1);
	long_name[253] = '\0';
	becomes(long_name, long_name);
}

static void with_port(const char *text, uint16_t port, const char *name, uint16_t expected)
{
	struct egress_name n;
	uint16_t got;

	assert_int_equal(egress_name_parse_port(text, strlen(text), port, &n, &got, NULL),
		name ? 0 : -EINVAL);
	if (!name)
		return;
	assert_string_equal(n.text, name);
	assert_int_equal(got, expected);
}

static void ports(void **state)
{
	with_port("example.com:443", 0, "example.com", 443);
	with_port("example.com", 80, "example.com", 80);
	with_port("example.com:", 80, "example.com", 80);
	with_port("[::1]:22", 0, "::1", 22);
	with_port("[::1]", 80, "::1", 80);
	with_port("::1", 80, NULL, 0);
	with_port("example.com", 0, NULL, 0);
	with_port("example.com:", 0, NULL, 0);
	with_port("example.com:0", 80, NULL, 0);
	with_port("example.com:65536", 80, NULL, 0);
	with_port("example.com:+1", 80, NULL, 0);
	with_port(":80", 80, NULL, 0);
	with_port("a:1:2", 80, NULL, 0);
}

static struct egress_policy policy(const char *text)
{
	struct egress_policy p;
	struct error e = {0};

	if (egress_policy_parse(text, strlen(text), &p, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return p;
}

static void decides(const char *rules, const char *name, uint16_t port, enum egress_reason reason,
	const char *rule)
{
	_cleanup_(egress_policy_done) struct egress_policy p = policy(rules);
	struct egress_decision d;
	struct egress_name n;

	assert_int_equal(egress_name_parse(name, strlen(name), &n, NULL), 0);
	d = egress_decide(&p, &n, port);
	assert_string_equal(egress_reason_text(d.reason), egress_reason_text(reason));
	assert_string_equal(d.rule, rule);
}

static void rules(void **state)
{
	decides("", "example.com", 443, EGRESS_NOT_LISTED, "");
	decides("", "example.com", 0, EGRESS_NOT_LISTED, "");
	decides("allow Example.COM.", "example.com", 443, EGRESS_ALLOWED, "Example.COM.");
	decides("allow example.com @mine", "example.com", 80, EGRESS_ALLOWED,
		"example.com (@mine)");
	decides("allow example.com", "example.com", 22, EGRESS_PORT, "example.com");
	decides("allow example.com", "example.com", 0, EGRESS_ALLOWED, "example.com");
	decides("allow example.com", "www.example.com", 80, EGRESS_NOT_LISTED, "");
	decides("allow example.com", "evilexample.com", 80, EGRESS_NOT_LISTED, "");
	decides("allow example.com", "example.com.evil.test", 80, EGRESS_NOT_LISTED, "");
	decides("allow example.com:22", "example.com", 22, EGRESS_ALLOWED, "example.com:22");
	decides("allow example.com:22", "example.com", 443, EGRESS_PORT, "example.com:22");
	decides("allow example.com:*", "example.com", 9, EGRESS_ALLOWED, "example.com:*");
	decides("allow *.example.com", "a.b.example.com", 443, EGRESS_ALLOWED, "*.example.com");
	decides("allow *.example.com", "example.com", 443, EGRESS_NOT_LISTED, "");
	decides("allow *.example.com", "evilexample.com", 443, EGRESS_NOT_LISTED, "");
	decides("allow *.bücher.example", "a.xn--bcher-kva.example", 80, EGRESS_ALLOWED,
		"*.bücher.example");
	decides("allow *", "a.test", 443, EGRESS_ALLOWED, "*");
	decides("allow *", "a.test", 22, EGRESS_PORT, "*");
	decides("allow *:*", "a.test", 22, EGRESS_ALLOWED, "*:*");
}

static void deny_wins(void **state)
{
	decides("allow *.a.test\ndeny b.a.test", "b.a.test", 443, EGRESS_DENIED, "b.a.test");
	decides("deny b.a.test\nallow b.a.test", "b.a.test", 443, EGRESS_DENIED, "b.a.test");
	decides("deny b.a.test\nallow b.a.test:22", "b.a.test", 22, EGRESS_DENIED, "b.a.test");
	decides("deny b.a.test\nlearn yes", "b.a.test", 443, EGRESS_DENIED, "b.a.test");
	decides("deny b.a.test\nask yes", "b.a.test", 0, EGRESS_DENIED, "b.a.test");
	decides("deny b.a.test:80\nallow b.a.test", "b.a.test", 80, EGRESS_DENIED, "b.a.test:80");
	decides("deny b.a.test:80\nallow b.a.test", "b.a.test", 443, EGRESS_ALLOWED, "b.a.test");
	decides("deny b.a.test:80\nallow b.a.test", "b.a.test", 0, EGRESS_ALLOWED, "b.a.test");
	decides("learn yes", "b.a.test", 9, EGRESS_LEARNED, "");
	decides("ask yes", "b.a.test", 9, EGRESS_WAITING, "");
	decides("allow b.a.test\nask yes", "b.a.test", 9, EGRESS_WAITING, "");
}

static void address_rules(void **state)
{
	decides("allow *:*", "203.0.113.7", 80, EGRESS_RAW, "");
	decides("allow 203.0.113.7", "203.0.113.7", 80, EGRESS_ALLOWED, "203.0.113.7");
	decides("allow 203.0.113.7", "203.0.113.7", 22, EGRESS_PORT, "203.0.113.7");
	decides("allow 203.0.113.0/25:22", "203.0.113.127", 22, EGRESS_ALLOWED,
		"203.0.113.0/25:22");
	decides("allow 203.0.113.0/25:22", "203.0.113.128", 22, EGRESS_RAW, "");
	decides("allow [2001:db8::]/31:*", "2001:db9::1", 1, EGRESS_ALLOWED, "[2001:db8::]/31:*");
	decides("allow 0.0.0.0/0:*", "::ffff:1.2.3.4", 1, EGRESS_RAW, "");
}

static void leads(const char *rules_text, const char *address, enum egress_reason reason)
{
	_cleanup_(egress_policy_done) struct egress_policy p = policy(rules_text);
	struct egress_name n;
	struct egress_decision d;

	assert_int_equal(egress_name_parse(address, strlen(address), &n, NULL), 0);
	d = egress_decide_address(&p, &n.address, 443, egress_forbidden(&n.address) != NULL);
	assert_string_equal(egress_reason_text(d.reason), egress_reason_text(reason));
}

static void led_to(void **state)
{
	leads("allow a.test", "203.0.113.7", EGRESS_ALLOWED);
	leads("allow a.test", "10.0.0.1", EGRESS_FORBIDDEN);
	leads("allow *:*\nlearn yes", "10.0.0.1", EGRESS_FORBIDDEN);
	leads("allow 10.0.0.0/8", "10.0.0.1", EGRESS_ALLOWED);
	leads("allow 10.0.0.0/8:22", "10.0.0.1", EGRESS_FORBIDDEN);
	leads("allow a.test\ndeny 203.0.113.0/24", "203.0.113.7", EGRESS_DENIED);
	leads("allow 203.0.113.7\ndeny 203.0.113.7:443", "203.0.113.7", EGRESS_DENIED);
}

static void bad_rule(const char *text)
{
	struct error e = {0};

	if (egress_rule_check(text, &e) != -EINVAL)
		fail_msg("'%s' was taken", text);
	assert_true(e.text[0] != '\0');
}

static void bad_rules(void **state)
{
	bad_rule("");
	bad_rule("*.");
	bad_rule("**");
	bad_rule("a.*.test");
	bad_rule("*a.test");
	bad_rule("a.test:0");
	bad_rule("a.test:");
	bad_rule("a.test:http");
	bad_rule("a.test:65536");
	bad_rule("a.test/8");
	bad_rule("*/8");
	bad_rule("*.10.0.0.1");
	bad_rule("10.0.0.0/33");
	bad_rule("10.0.0.0/-1");
	bad_rule("[::]/129");
	bad_rule("::1");
	bad_rule("127.1");
	bad_rule("http://a.test");
	bad_rule("@set");
}

static void bad_policies(void **state)
{
	static const char *const texts[] = {"allow", "allow ", "permit a.test", "strict maybe",
		"hostport 0", "hostport x", "allow a.test\nallow b.test:x\nallow c.test"};
	struct egress_policy p;

	for (size_t i = 0; i < ELEMENTSOF(texts); i++)
		assert_int_equal(egress_policy_parse(texts[i], strlen(texts[i]), &p, NULL),
			-EINVAL);
	assert_int_equal(egress_policy_parse("allow a\0b.test", 14, &p, NULL), -EINVAL);
	p = policy("hostport 5432\nhostport 5432\nstrict no\nask yes\n");
	assert_true(egress_host_port(&p, 5432));
	assert_false(egress_host_port(&p, 5433));
	assert_true(!p.strict && p.ask && !p.learn);
	egress_policy_done(&p);
	p = policy("");
	assert_true(p.strict && !p.ask && !p.learn);
	egress_policy_done(&p);
}

static void forbidden_ranges(void **state)
{
	static const char *const no[] = {"0.0.0.0", "0.1.2.3", "10.255.255.255", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "168.63.129.16",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1",
		"198.18.0.1", "198.19.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1",
		"::ffff:203.0.113.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::cb00:7101",
		"64:ff9b:1::1", "64:ff9b:1:ffff::1", "100::1", "2001::1", "2002:7f00:1::1",
		"fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1"};
	static const char *const yes[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.1", "168.63.129.15", "172.15.255.255",
		"172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "203.0.113.1", "223.255.255.255", "2001:db8::1", "2001:4860::8888",
		"2003::1", "2600::1", "fbff::1", "::1:0:0:0"};
	struct egress_name n;

	for (size_t i = 0; i < ELEMENTSOF(no); i++) {
		assert_int_equal(egress_name_parse(no[i], strlen(no[i]), &n, NULL), 0);
		if (!egress_forbidden(&n.address))
			fail_msg("%s is taken for public", no[i]);
	}
	for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
		assert_int_equal(egress_name_parse(yes[i], strlen(yes[i]), &n, NULL), 0);
		if (egress_forbidden(&n.address))
			fail_msg("%s is forbidden", yes[i]);
	}
}

static void nat64_is(const char *answer, unsigned bits, const char *in, const char *out)
{
	struct egress_name n;
	struct egress_prefix p;

	assert_int_equal(egress_name_parse(answer, strlen(answer), &n, NULL), 0);
	assert_int_equal(egress_nat64(&n.address, &p), bits > 0);
	if (bits == 0)
		return;
	assert_int_equal(p.bits, bits);
	assert_int_equal(egress_name_parse(in, strlen(in), &n, NULL), 0);
	assert_true(egress_in_prefix(&n.address, &p));
	assert_int_equal(egress_name_parse(out, strlen(out), &n, NULL), 0);
	assert_false(egress_in_prefix(&n.address, &p));
}

static void nat64(void **state)
{
	nat64_is("2001:db8::c000:aa", 96, "2001:db8::7f00:1", "2001:db8:0:0:0:1::1");
	nat64_is("2001:db8:0:1:c0:0:ab00:0", 64, "2001:db8:0:1:a::", "2001:db8:0:2::");
	nat64_is("2001:db8:0:c0:0:aa::", 56, "2001:db8:0:a::", "2001:db8:0:100::");
	nat64_is("2001:db8:1:c000:0:aa00::", 48, "2001:db8:1:a00::", "2001:db8:2::");
	nat64_is("2001:db8:1c0:0:aa::", 40, "2001:db8:10a::", "2001:db8:200::");
	nat64_is("2001:db8:c000:aa::", 32, "2001:db8:a00::", "2001:db9::");
	nat64_is("2001:db8::c000:a9", 0, "", "");
	nat64_is("2001:db8:0:1:1c0:0:aa00:0", 0, "", "");
	nat64_is("192.0.0.170", 0, "", "");
}

/* There is a loopback in the unit tests' network namespace, and nothing else. */
static void own(void **state)
{
	struct egress_name n;

	assert_int_equal(egress_name_parse("127.0.0.1", 9, &n, NULL), 0);
	assert_true(egress_address_own(&n.address));
	assert_int_equal(egress_name_parse("203.0.113.9", 11, &n, NULL), 0);
	assert_false(egress_address_own(&n.address));
}

static void records(void **state)
{
	struct {
		struct egress_reply head;
		struct egress_record record[2];
	} m = {.head = {.version = EGRESS_VERSION, .op = EGRESS_LOG},
		.record = {{.reason = EGRESS_ALLOWED, .name = "a\033b"}, {.reason = EGRESS_RAW}}};
	const struct egress_record *r;
	size_t n;

	assert_int_equal(egress_records(&m, sizeof(m), &r, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(r[0].name, "a?b");
	assert_int_equal(egress_records(&m, sizeof(m) - 1, &r, &n), -EPROTO);
	m.record[1].reason = EGRESS_REASONS_;
	assert_int_equal(egress_records(&m, sizeof(m), &r, &n), -EPROTO);
	m.record[1].reason = EGRESS_RAW;
	memset(m.record[1].detail, 'x', sizeof(m.record[1].detail));
	assert_int_equal(egress_records(&m, sizeof(m), &r, &n), -EPROTO);
	for (uint32_t i = 1; i < EGRESS_REASONS_; i++)
		assert_string_not_equal(egress_reason_text(i), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(no_names),
		cmocka_unit_test(ports),
		cmocka_unit_test(rules),
		cmocka_unit_test(deny_wins),
		cmocka_unit_test(address_rules),
		cmocka_unit_test(led_to),
		cmocka_unit_test(bad_rules),
		cmocka_unit_test(bad_policies),
		cmocka_unit_test(forbidden_ranges),
		cmocka_unit_test(nat64),
		cmocka_unit_test(own),
		cmocka_unit_test(records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
