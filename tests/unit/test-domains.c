/* The items of AllowDomains= and DenyDomains=, sets, the administrator's bounds, the policy's text. */
#include "config.h"
#include "tests/unit/policy-place.h"

#include "lib/egress/decide.h"
#include "lib/policy/domains.h"

static const char *const right[] = {"example.com", "Example.COM.", "*.example.com", "*", "*:22",
	"example.com:22", "example.com:*", "a_b.c-d.example", "xn--bcher-kva.example",
	"203.0.113.7", "203.0.113.7:80", "203.0.113.0/24", "203.0.113.0/24:443", "[2001:db8::7]",
	"[2001:db8::7]:22", "[2001:db8::]/32", "[2001:db8::]/32:22", "0.0.0.0/0", "localhost",
	"example.com:65535", "1e100.net", "[::1]"};
static const char *const wrong[] = {"", ".", "example..com", ".example.com", "*example.com",
	"*.", "a.*.example.com", "**.example.com", "-a.example", "exa mple.com", "example.com:0",
	"example.com:65536", "example.com:", "example.com:http", "http://example.com",
	"example.com/24", "127.1", "2130706433", "0x7f.1", "0x7f000001", "127.0.0.01",
	"203.0.113.7/33", "203.0.113.7/x", "2001:db8::7", "[2001:db8::7", "[2001:db8::7]/129",
	"[203.0.113.7]", "*/24", "*.203.0.113.7", "256.0.113.7", "example.com?",
	"a-label-of-sixty-four-characters-is-one-more-than-a-label-may-have.example",
	"[]", "[", "]", ":80", "/24", "[fe80::1%eth0]"};

/* What is taken here has to be taken by clsecure-egress too, else the sandbox has no network. */
static void items(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(right); i++) {
		if (!domain_valid(right[i]))
			fail_msg("refused: '%s'", right[i]);
		if (egress_rule_check(right[i], NULL) < 0)
			fail_msg("clsecure-egress refuses '%s'", right[i]);
	}
	for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
		if (domain_valid(wrong[i]))
			fail_msg("taken: '%s'", wrong[i]);
		if (egress_rule_check(wrong[i], NULL) == 0)
			fail_msg("clsecure-egress takes '%s'", wrong[i]);
	}
	assert_true(domain_valid("@claude"));
	assert_true(domain_valid("@my-company_2"));
	assert_false(domain_valid("@"));
	assert_false(domain_valid("@../x"));
	assert_false(domain_valid("@a/b"));
	assert_false(domain_valid("@-x"));
	assert_false(domain_valid("@A"));
	/* in ASCII here */
	assert_false(domain_valid("b\xc3\xbc" "cher.example"));
}

static void wrong_words(void **state)
{
	struct value v;
	struct error e;

	assert_int_equal(value_parse(SETTING_ALLOW_DOMAINS, "a.test http://b.test", &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, "AllowDomains= is not a list of NAME"));
	assert_non_null(strstr(e.text, "item 2"));
	assert_int_equal(value_parse(SETTING_ALLOW_HOST_PORTS, "80 0", &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, "AllowHostPorts= is not a list of ports"));
	assert_int_equal(value_parse(SETTING_ALLOW_HOST_PORTS, "65536", &v, &e), -EINVAL);
	assert_int_equal(value_parse(SETTING_LEARN, "maybe", &v, &e), -EINVAL);
}

static void expect_text(const struct policy *p, const char *want)
{
	_cleanup_free_ char *text = NULL;
	struct error e = {0};

	if (domains_policy(p, &text, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(text, want);
}

static void sets(void **state)
{
	struct policy *p;
	struct error e = {0};
	char *text;

	ADD();
	put_in(own_domains, "claude.conf", "[Network]\nAllowDomains=api.test\nAllowDomains=log.test\n");
	p = LOAD();
	expect_text(p, "allow api.test @claude\nallow log.test @claude\nstrict yes\nlearn no\nask no\n");
	policy_free(p);
	/* the administrator's takes the place of ours */
	put_in(domains, "claude.conf", "[Network]\nAllowDomains=other.test\n");
	assert_int_equal(set(false, &e, "AllowDomains+=a.test:22", NULL), 0);
	assert_int_equal(set(false, &e, "DenyDomains=*.evil.test", NULL), 0);
	assert_int_equal(set(false, &e, "AllowHostPorts=5432 80", NULL), 0);
	assert_int_equal(set(false, &e, "StrictNames=no", NULL), 0);
	assert_int_equal(set(false, &e, "AllowDomains+=@none", NULL), -EINVAL);
	assert_non_null(strstr(e.text, "there is no set '@none'"));
	p = LOAD();
	expect_text(p, "allow other.test @claude\nallow a.test:22\ndeny *.evil.test\n"
		       "hostport 5432\nhostport 80\nstrict no\nlearn no\nask no\n");
	/* a set that is gone, or wrong, leaves no policy at all */
	put_in(domains, "claude.conf", "[Network]\nAllowDomains=@claude\n");
	assert_int_equal(domains_policy(p, &text, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "cannot name another set"));
	put_in(domains, "claude.conf", "[Network]\nAllowDomains=a.test\nNetwork=full\n");
	assert_int_equal(domains_policy(p, &text, &e), -EBADMSG);
	assert_non_null(strstr(e.text, "cannot say Network="));
	put_in(domains, "claude.conf", "[Network]\nAllowDomains=a.test b..test\n");
	assert_int_equal(domains_policy(p, &text, &e), -EBADMSG);
	put_in(domains, "claude.conf", "");
	assert_int_equal(domains_policy(p, &text, &e), -EBADMSG);
	drop_in(domains, "claude.conf");
	drop_in(own_domains, "claude.conf");
	assert_int_equal(domains_policy(p, &text, &e), -EINVAL);
	policy_free(p);
}

static void is_value(enum setting s, const char *want)
{
	struct policy *p = LOAD();

	assert_string_equal(policy_text(p, s), want);
	policy_free(p);
}

static void bounds(void **state)
{
	struct error e = {0};

	ADD();
	put(conf, "[Network]\nNetwork=filtered\nAllowDomains=a.test b.test\nDenyDomains=evil.test\n"
		  "AllowHostPorts=80\nLearn=no\n");
	/* an owner may have less of it */
	assert_int_equal(set(false, &e, "AllowDomains=b.test", NULL), 0);
	is_value(SETTING_ALLOW_DOMAINS, "b.test");
	assert_int_equal(set(false, &e, "AllowDomains+=c.test", NULL), -EPERM);
	assert_non_null(strstr(e.text, "more than the administrator allows (a.test b.test)"));
	assert_int_equal(set(false, &e, "AllowHostPorts=81", NULL), -EPERM);
	assert_int_equal(set(false, &e, "Network=full", NULL), -EPERM);
	assert_int_equal(set(false, &e, "Learn=yes", NULL), -EPERM);
	assert_int_equal(set(false, &e, "Network=none", NULL), 0);
	/* and denies more, never less */
	assert_int_equal(set(false, &e, "DenyDomains=more.test", NULL), 0);
	is_value(SETTING_DENY_DOMAINS, "more.test evil.test");
	put_in(home, PERSON, "[Network]\nAllowDomains=a.test d.test\nDenyDomains=\n");
	assert_int_equal(set(false, &e, "AllowDomains=", NULL), 0);
	assert_int_equal(set(false, &e, "DenyDomains=", NULL), 0);
	is_value(SETTING_ALLOW_DOMAINS, "a.test");
	is_value(SETTING_DENY_DOMAINS, "evil.test");
	/* root says what he wants */
	assert_int_equal(set(true, &e, "AllowDomains=c.test", NULL), 0);
	is_value(SETTING_ALLOW_DOMAINS, "c.test");
	/* and a project's file takes away */
	assert_int_equal(set(true, &e, "AllowDomains=c.test d.test", NULL), 0);
	drop_in(home, PERSON);
	put_in(dir, PROJECT, "[Network]\nAllowDomains=x.test\nDenyDomains=c.test\nLearn=yes\n");
	is_value(SETTING_DENY_DOMAINS, "evil.test c.test");
	is_value(SETTING_LEARN, "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(items),
		TEST(wrong_words),
		TEST(sets),
		TEST(bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
