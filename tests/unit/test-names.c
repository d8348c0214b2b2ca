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

#define APP CLSECURE_UID_FIRST + 1

static void bad_records(void **state)
{
	static const struct {
		const char *before;
		uint64_t uid; /* UINT64_MAX: none */
		const char *after;
	} bad[] = {
		{"", UINT64_MAX, ""},
		{"1", UINT64_MAX, ""},
		{"1:", UINT64_MAX, ""},
		{"1::", APP, ""},
		{"2:claude-worker-a:", APP, ""},
		{"1:claude-worker-a:", 0, ""},
		{"1:claude-worker-a:", CLSECURE_UID_FIRST - 1, ""},
		{"1:claude-worker-a:", CLSECURE_UID_LAST + 1, ""},
		{"1:claude-worker-a:0", APP, ""},
		{"1:claude-worker-a:", APP, " "},
		{"1:claude-worker-a:+", APP, ""},
		{"1:claude-worker-a:", (1ULL << 32) + APP, ""},
		{"1:claude-worker-a", UINT64_MAX, ""},
		{"1:root:", APP, ""},
		{"1:claude:", APP, ""},
		{"1:clsecure-egress:", CLSECURE_UID_FIRST - 1, ""},
		{"1:claude-worker-a:", APP, ":x"},
		{"1:claude-worker-123456789012345678:", APP, ""},
	};
	struct record r = {0};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		char uid[24] = "", text[128];

		if (bad[i].uid != UINT64_MAX)
			snprintf(uid, sizeof(uid), "%llu", (unsigned long long)bad[i].uid);
		snprintf(text, sizeof(text), "%s%s%s", bad[i].before, uid, bad[i].after);
		assert_int_equal(record_parse(text, strlen(text), &r), -EBADMSG);
	}
	assert_int_equal(r.uid, 0);
}

static void records(void **state)
{
	struct record r = {0};
	char text[RECORD_MAX], again[RECORD_MAX];
	int n = snprintf(text, sizeof(text), "1:claude-worker-app:%u", APP);

	assert_int_equal(record_parse(text, (size_t)n, &r), 0);
	assert_int_equal(r.uid, APP);
	assert_string_equal(r.name, "claude-worker-app");
	assert_int_equal(record_format(&r, again), 0);
	assert_string_equal(again, text);
	text[strlen("1:claude-worker-")] = '\0';
	assert_int_equal(record_parse(text, (size_t)n, &r), -EBADMSG);
	r.uid = 0;
	assert_int_equal(record_format(&r, again), -EINVAL);
	n = snprintf(text, sizeof(text), "1:claude:%u", CLSECURE_UID_FIRST - 1);
	assert_int_equal(record_parse(text, (size_t)n, &r), 0);
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
		cmocka_unit_test(bad_records),
		cmocka_unit_test(records),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
