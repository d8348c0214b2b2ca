/* Names, records and the words of errors. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/base/error.h"
#include "lib/base/record.h"

static void slugs(void **state)
{
	static const char *const good[] = {
		"a", "0", "app", "my-app", "a--b", "a-", "12345678901234567"};
	static const char *const bad[] = {"", "-", "-a", "A", "a_b", "a.b", "a b",
		"123456789012345678", "a/b", "\xc3\xa9", "a\n"};

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		assert_true(slug_valid(good[i]));
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_false(slug_valid(bad[i]));
	assert_true(slug_reserved("shell"));
	assert_true(slug_reserved("undo"));
	assert_false(slug_reserved("shells"));
}

static void identities(void **state)
{
	assert_int_equal(identity_of("root"), IDENTITY_OTHER);
	assert_int_equal(identity_of(""), IDENTITY_OTHER);
	assert_int_equal(identity_of("claude"), IDENTITY_GATEWAY);
	assert_int_equal(identity_of("claude2"), IDENTITY_OTHER);
	assert_int_equal(identity_of("clsecure-egress"), IDENTITY_EGRESS);
	assert_int_equal(identity_of("clsecure-pasta"), IDENTITY_PASTA);
	assert_int_equal(identity_of("claude-worker-"), IDENTITY_OTHER);
	assert_int_equal(identity_of("claude-worker-app"), IDENTITY_WORKER);
	assert_int_equal(identity_of("claude-worker-App"), IDENTITY_OTHER);
	assert_string_equal(worker_slug("claude-worker-app"), "app");
	assert_null(worker_slug("claude-worker-/etc"));
}

static void records(void **state)
{
	static const char *const bad[] = {"", "1", "1:", "1::70001", "2:claude-worker-a:70001",
		"1:claude-worker-a:0", "1:claude-worker-a:69999", "1:claude-worker-a:100000",
		"1:claude-worker-a:070001", "1:claude-worker-a:70001 ", "1:claude-worker-a:+70001",
		"1:claude-worker-a:4295037297", "1:claude-worker-a", "1:root:70001",
		"1:claude:70001", "1:clsecure-egress:69999", "1:claude-worker-a:70001:x",
		"1:claude-worker-123456789012345678:70001"};
	struct record r = {0};
	char text[RECORD_MAX];

	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(record_parse(bad[i], strlen(bad[i]), &r), -EBADMSG);
	assert_int_equal(r.uid, 0);
	assert_int_equal(record_parse("1:claude-worker-\0a:70001", 24, &r), -EBADMSG);
	assert_int_equal(record_parse("1:claude-worker-app:70001", 25, &r), 0);
	assert_int_equal(r.uid, 70001);
	assert_string_equal(r.name, "claude-worker-app");
	assert_int_equal(record_format(&r, text), 0);
	assert_string_equal(text, "1:claude-worker-app:70001");
	r.uid = 0;
	assert_int_equal(record_format(&r, text), -EINVAL);
	assert_int_equal(record_parse("1:claude:69999", 14, &r), 0);
}

static void words(void **state)
{
	struct error e = {0};

	assert_int_equal(error_set(NULL, -EPERM, "x"), -EPERM);
	assert_int_equal(error_set(&e, -EPERM, "open '%s'", "a\033]0;x\007\xff\xc2\x9b\xc3\xa9\n"),
		-EPERM);
	assert_string_equal(e.text, "open 'a?]0;x?\?\?\?\xc3\xa9?'");
	error_errno(&e, -ENOENT, "open '%s'", "/x");
	assert_string_equal(e.text, "open '/x': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slugs),
		cmocka_unit_test(identities),
		cmocka_unit_test(records),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
