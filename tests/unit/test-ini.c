/* The reader of files, and the earlier clsecure's file, which is named and not read. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/policy/ini.h"
#include "lib/policy/legacy.h"

struct seen {
	char text[1024];
};

static int note(void *arg, const char *section, const char *key, const char *value, unsigned line,
	struct error *e)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	if (!key) {
		snprintf(s->text + n, sizeof(s->text) - n, "[%s]@%u|", section, line);
		return streq(section, "Worse") ? error_set(e, -EPERM, "nor here") : 0;
	}
	snprintf(s->text + n, sizeof(s->text) - n, "%s.%s=%s@%u|", section, key, value, line);
	return streq(key, "Bad") ? error_set(e, -EPERM, "no") : 0;
}

static int parse(const char *text, struct seen *s, struct error *e)
{
	s->text[0] = '\0';
	return ini_parse(text, strlen(text), "f", note, s, e);
}

static void files_that_are_right(void **state)
{
	struct seen s;
	struct error e = {0};

	assert_int_equal(parse("", &s, &e), 0);
	assert_int_equal(parse("# c\n; c\n\n  \n[A]\nK=v\nL = a b \nL=\n[B]\nK='# x'", &s, &e), 0);
	assert_string_equal(s.text, "[A]@5|A.K=v@6|A.L=a b@7|A.L=@8|[B]@9|B.K='# x'@10|");
	assert_int_equal(parse("K=a=b\n", &s, &e), 0);
	assert_string_equal(s.text, ".K=a=b@1|");
}

static void files_that_are_wrong(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"[A]\nword\n", "f:2: neither"},
		{"[A\nK=v\n", "f:1: a section"},
		{"[]\n", "f:1: a section"},
		{"[A] # c\n", "f:1: a section"},
		{"[A][B]\n", "f:1: a section"},
		{"=v\n", "f:1: there is no key"},
		{"K=a\n b\n", "f:2: a line that begins with a blank"},
		{"K=a \\\n", "f:1: a line that is continued"},
		{"K=a # c\n", "f:1: a line that is continued"},
		{"K=a ; c\n", "f:1: a line that is continued"},
		{"K=a\r\n", "f:1: a control character"},
		{"K=a\tb\n", "f:1: a control character"},
		{"K=\033[0m\n", "f:1: a control character"},
		{"K=\xff\n", "f:1: a control character"},
		{"\xff=a\n", "f:1: a control character"},
		{"K=\xed\xa0\x80\n", "f:1: a control character"},
		{"[A]\n[Worse]\nK=v\n", "f:2: nor here"},
		{"K=v\nBad=v\nK=w\n", "f:2: no"},
	};
	struct seen s;

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		struct error e = {0};

		assert_true(parse(bad[i].text, &s, &e) < 0);
		if (strncmp(e.text, bad[i].words, strlen(bad[i].words)) != 0)
			fail_msg("'%s': %s", bad[i].text, e.text);
	}
}

static void files_that_are_large(void **state)
{
	char line[INI_LINE_MAX + 3] = "K=";
	_cleanup_free_ char *large = calloc(1, INI_FILE_MAX + 1);
	struct seen s = {0};
	struct error e;

	memset(line + 2, 'a', INI_LINE_MAX - 2);
	assert_int_equal(ini_parse(line, INI_LINE_MAX, "f", note, &s, &e), 0);
	line[INI_LINE_MAX] = 'a';
	assert_int_equal(ini_parse(line, INI_LINE_MAX + 1, "f", note, &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "f:1: a line longer"));
	assert_int_equal(ini_parse("K=a\0b\n", 6, "f", note, &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "f:1: a NUL"));
	memset(large, '\n', INI_FILE_MAX + 1);
	assert_int_equal(ini_parse(large, INI_FILE_MAX, "f", note, &s, &e), 0);
	assert_int_equal(ini_parse(large, INI_FILE_MAX + 1, "f", note, &s, &e), -EINVAL);
}

static void the_earlier_clsecure(void **state)
{
	static const char text[] =
		"# old\nmode = user\nnetwork=true\ninstall_dependencies = false\n";
	struct error e;

	assert_int_equal(legacy_check(text, strlen(text), "f", &e), -EINVAL);
	assert_non_null(strstr(e.text, "mode: [Project] Mode="));
	assert_non_null(strstr(e.text, "network: [Network] Network="));
	assert_non_null(strstr(e.text, "install_dependencies: a command inside"));
	assert_int_equal(legacy_check("[A]\nmode = user\n", 16, "f", &e), 0);
	assert_int_equal(legacy_check("mode", 4, "f", &e), 0);
	assert_int_equal(legacy_check("model = x\n", 10, "f", &e), 0);
	assert_int_equal(legacy_check("", 0, "f", &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_are_right),
		cmocka_unit_test(files_that_are_wrong),
		cmocka_unit_test(files_that_are_large),
		cmocka_unit_test(the_earlier_clsecure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
