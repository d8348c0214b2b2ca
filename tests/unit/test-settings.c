/* The table of settings, the types of values, and that the documents say what the table says. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/base/person.h"
#include "lib/policy/ini.h"
#include "lib/policy/value.h"
#include "lib/policy/words.h"

static void every_setting_is_whole(void **state)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		const struct setting_info *i = &settings[s];
		struct value v = {0};
		enum setting found;

		assert_non_null(i->section);
		assert_non_null(i->key);
		assert_non_null(i->builtin);
		assert_true(strlen(i->help) > 10);
		assert_true(i->key[0] >= 'A' && i->key[0] <= 'Z');
		assert_int_equal(i->type == TYPE_ENUM, i->choices != NULL);
		assert_int_equal(value_builtin(s, &v), 0);
		/* the default is canonical, and is in this version */
		assert_string_equal(v.text, i->builtin);
		value_done(&v);
		if (setting_built(s)) {
			assert_int_equal(value_parse(s, i->builtin, &v, NULL), 0);
			value_done(&v);
		}
		assert_int_equal(setting_find(i->section, i->key, &found, NULL), 0);
		assert_int_equal(found, s);
		assert_int_equal(setting_find(NULL, i->key, &found, NULL), 0);
		assert_int_equal(found, s);
	}
}

static void wrong_names(void **state)
{
	enum setting s = SETTING_COUNT_;
	struct error e = {0};

	assert_int_equal(setting_find("Network", "Netwrok", &s, &e), -ENOENT);
	assert_string_equal(e.text,
		"there is no setting 'Netwrok'; the nearest is Network= in [Network]");
	assert_int_equal(setting_find(NULL, "bindreadonly", &s, &e), -ENOENT);
	assert_non_null(strstr(e.text, "BindReadOnly="));
	assert_int_equal(setting_find("Files", "Network", &s, &e), -ENOENT);
	assert_string_equal(e.text, "Network= belongs to [Network]");
	assert_int_equal(setting_find("Netwrk", "Network", &s, &e), -ENOENT);
	assert_string_equal(e.text, "there is no section [Netwrk]; the nearest is [Network]");
	assert_int_equal(setting_find("Fiels", "Whatever", &s, &e), -ENOENT);
	assert_string_equal(e.text, "there is no section [Fiels]; the nearest is [Files]");
	/* what may be somebody's secret is not quoted */
	assert_int_equal(setting_find("Files", "sk-ant-0123456789", &s, &e), -ENOENT);
	assert_null(strstr(e.text, "sk-ant"));
	assert_int_equal(s, SETTING_COUNT_);
}

static const struct {
	enum setting setting;
	const char *text, *canonical; /* NULL: refused */
	uint64_t number;
} values[] = {
	{SETTING_ALLOW_PTRACE, "yes", "yes", 1},
	{SETTING_ALLOW_PTRACE, "off", "no", 0},
	{SETTING_ALLOW_PTRACE, "Yes", NULL},
	{SETTING_ALLOW_PTRACE, "", NULL},
	{SETTING_ALLOW_PTRACE, "2", NULL},
	{SETTING_NETWORK, "none", "none", 0},
	{SETTING_NETWORK, "full", "full", 2},
	{SETTING_NETWORK, "filtered", "filtered", 1},
	{SETTING_NETWORK, "ful", NULL},
	{SETTING_NETWORK, "", NULL},
	{SETTING_MODE, "namespace", "namespace", 0},
	{SETTING_MODE, "user", NULL},
	{SETTING_WORKSPACE, "bind", "bind", 3},
	{SETTING_WORKSPACE, "review", NULL},
	{SETTING_OPEN_FILES, "1024", "1024", 1024},
	{SETTING_OPEN_FILES, "infinity", "infinity", UINT64_MAX},
	{SETTING_OPEN_FILES, "0", NULL},
	{SETTING_OPEN_FILES, "-1", NULL},
	{SETTING_OPEN_FILES, "+1", NULL},
	{SETTING_OPEN_FILES, "1k", NULL},
	{SETTING_OPEN_FILES, "1 ", NULL},
	{SETTING_OPEN_FILES, "0x10", NULL},
	{SETTING_OPEN_FILES, "18446744073709551615", NULL},
	{SETTING_OPEN_FILES, "18446744073709551616", NULL},
	{SETTING_OPEN_FILES, "99999999999999999999999", NULL},
	{SETTING_TMP_SIZE, "1024K", "1M", 1 << 20},
	{SETTING_TMP_SIZE, "1536M", "1536M", 1536u << 20},
	{SETTING_TMP_SIZE, "1000", "1000", 1000},
	{SETTING_TMP_SIZE, "0", NULL},
	{SETTING_TMP_SIZE, "1m", NULL},
	{SETTING_TMP_SIZE, "1GB", NULL},
	{SETTING_TMP_SIZE, "1.5G", NULL},
	{SETTING_TMP_SIZE, "16777216T", NULL},
	{SETTING_TMP_SIZE, "M", NULL},
	{SETTING_CORE_SIZE, "0", "0", 0},
	{SETTING_LINGER, "90", "90s", 90},
	{SETTING_LINGER, "0", "0", 0},
	{SETTING_LINGER, "1h 30min", "90min", 5400},
	{SETTING_LINGER, "2w", "2w", 1209600},
	{SETTING_LINGER, "infinity", "infinity", UINT64_MAX},
	{SETTING_LINGER, "1m", NULL},
	{SETTING_LINGER, "1hour", NULL},
	{SETTING_LINGER, "", NULL},
	{SETTING_LINGER, "30500568904944w", NULL},
	{SETTING_LINGER, "h", NULL},
	{SETTING_LINGER, "infinity 1s", NULL},
	{SETTING_SHELL, "/bin/zsh", "/bin/zsh", 0},
	{SETTING_SHELL, "bin/zsh", NULL},
	{SETTING_SHELL, "~/sh", NULL},
	{SETTING_SHELL, "/bin/../x", NULL},
	{SETTING_SHELL, "/bin//x", NULL},
	{SETTING_SHELL, "/bin/", NULL},
	{SETTING_SHELL, "\"/a b\"", "/a b", 0},
	{SETTING_SHELL, "\"/a", NULL},
	{SETTING_SHELL, "\"/a\" /b", NULL},
	{SETTING_ALLOW_USERS, "alice bob alice", "alice bob", 2},
	{SETTING_ALLOW_USERS, "", "", 0},
	{SETTING_ALLOW_USERS, "-alice", NULL},
	{SETTING_ALLOW_USERS, "a/b", NULL},
	{SETTING_ALLOW_USERS, "a:b", NULL},
	{SETTING_PASS_ENV, "FOO BAR_*", "FOO BAR_*", 2},
	{SETTING_PASS_ENV, "*", NULL},
	{SETTING_PASS_ENV, "F*O", NULL},
	{SETTING_PASS_ENV, "1A", NULL},
	{SETTING_PASS_ENV, "A=B", NULL},
	{SETTING_SET_ENV, "A=1 'B=x y' A=2", "\"B=x y\" A=2", 2},
	{SETTING_SET_ENV, "A", NULL},
	{SETTING_SET_ENV, "=x", NULL},
	{SETTING_SET_ENV, "CLSECURE_X=1", NULL},
	{SETTING_SET_ENV, "'A=1", NULL},
	{SETTING_SET_ENV, "A=\\n", NULL},
	{SETTING_SET_ENV, "A=\"q\\\"q\"", "\"A=q\\\"q\"", 1},
	{SETTING_HIDE, ".env /srv/x ~/.aws", ".env /srv/x ~/.aws", 3},
	{SETTING_HIDE, "../x", NULL},
	{SETTING_HIDE, "/", NULL},
	{SETTING_HIDE, "a/./b", NULL},
	{SETTING_HIDE, "~other/x", NULL},
	{SETTING_PROTECT_PATHS, "Makefile .ci/*.sh", "Makefile .ci/*.sh", 2},
	{SETTING_PROTECT_PATHS, "/x", NULL},
	{SETTING_PROTECT_PATHS, "~/x", NULL},
	{SETTING_PROTECT_PATHS, "a/../b", NULL},
	{SETTING_BIND, "/data ~/x:/mnt/y", "/data ~/x:/mnt/y", 2},
	{SETTING_BIND, "data", NULL},
	{SETTING_BIND, "/a:/b:/c", NULL},
	{SETTING_BIND, "/a:", NULL},
	{SETTING_BIND, ":/a", NULL},
	{SETTING_BIND, "/a:b", NULL},
	{SETTING_BIND, "/", NULL},
	{SETTING_BIND, "/data:/", NULL},
	{SETTING_BIND, "/data:/etc", NULL},
	{SETTING_BIND, "/data:/usr/local/x", NULL},
	{SETTING_BIND, "/var/x", NULL},
	{SETTING_BIND, "/data:/lib64/x", NULL},
	{SETTING_BIND, "/data:/dev/shm", NULL},
	{SETTING_BIND, "/data:/proc/1", NULL},
	{SETTING_BIND, "/data:/a/../etc", NULL},
	{SETTING_BIND_READ_ONLY, "/etc/ssl:/mnt/ssl", "/etc/ssl:/mnt/ssl", 1},
	{SETTING_BIND, "/data:/etcetera", "/data:/etcetera", 1},
	{SETTING_PROFILE, "web", "web", 0},
	{SETTING_PROFILE, "../x", NULL},
	{SETTING_PROFILE, "a/b", NULL},
	{SETTING_PROFILE, ".x", NULL},
	{SETTING_COMMAND, "claude --x \"a b\"", "claude --x \"a b\"", 0},
	{SETTING_COMMAND, "a\tb", NULL},
	{SETTING_COMMAND, "a\nb", NULL},
	{SETTING_COMMAND, "a\x7f", NULL},
	{SETTING_COMMAND, "\xff", NULL},
	{SETTING_COMMAND, "\xc2\x85", NULL},
	{SETTING_COMMAND, "\xe2\x80\xae", NULL},
	{SETTING_COMMAND, " a", NULL},
	{SETTING_COMMAND, "a ", NULL},
	{SETTING_COMMAND, "a \\", NULL},
	{SETTING_COMMAND, "a # b", NULL},
	{SETTING_COMMAND, "a ; b", NULL},
	{SETTING_COMMAND, "a;b", "a;b", 0},
	{SETTING_COMMAND, "a '# b'", "a '# b'", 0},
	{SETTING_COMMAND, "", "", 0},
	{SETTING_MEMORY_MAX, "1G", NULL},
	{SETTING_ALLOW_NESTING, "no", NULL},
	{SETTING_RECORD, "no", NULL},
	{SETTING_ALLOW_DOMAINS, "example.org  *.x.test:22", "example.org *.x.test:22", 2},
	{SETTING_ALLOW_DOMAINS, "https://example.org", NULL},
	{SETTING_ALLOW_HOST_PORTS, "5432 80", "5432 80", 2},
	{SETTING_ALLOW_HOST_PORTS, "0", NULL},
	{SETTING_ROOT_DIRECTORY, "/x", NULL},
};

static void values_of_all_types(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(values); i++) {
		struct value v = {0}, again = {0};
		struct error e = {0};
		int err = value_parse(values[i].setting, values[i].text, &v, &e);

		if (!values[i].canonical) {
			if (err == 0)
				fail_msg("%s=%s", settings[values[i].setting].key, values[i].text);
			assert_true(err == -EINVAL || err == -EOPNOTSUPP);
			assert_null(v.text);
			assert_non_null(strstr(e.text, settings[values[i].setting].key));
			continue;
		}
		if (err < 0)
			fail_msg("%s=%s: %s", settings[values[i].setting].key, values[i].text,
				e.text);
		assert_string_equal(v.text, values[i].canonical);
		assert_int_equal(v.number, values[i].number);
		if (settings[values[i].setting].type != TYPE_PATH) {
			assert_int_equal(value_parse(values[i].setting, v.text, &again, NULL), 0);
			assert_true(value_equal(&v, &again));
		}
		value_done(&v);
		value_done(&again);
	}
}

/* Each of these, and nothing else, is refused by name. */
static void not_in_this_version(void **state)
{
	static const enum setting whole[] = {
		SETTING_ROOT_DIRECTORY,
		SETTING_FORWARD_PORTS,
		SETTING_NOTIFY,
		SETTING_MEMORY_MAX,
		SETTING_TASKS_MAX,
		SETTING_CPU_QUOTA,
		SETTING_IO_WEIGHT,
		SETTING_HOME_SIZE,
		SETTING_ALLOW_NESTING,
		SETTING_ALLOW_FOREIGN_ABI,
		SETTING_RECORD,
		SETTING_LOG_COMMANDS,
		SETTING_KEEP_DAYS,
	};
	struct value v;
	struct error e;

	for (size_t i = 0; i < ELEMENTSOF(whole); i++) {
		assert_int_equal(value_parse(whole[i], "1", &v, &e), -EOPNOTSUPP);
		assert_non_null(strstr(e.text, "not in this version"));
		assert_non_null(strstr(e.text, settings[whole[i]].key));
	}
	assert_int_equal(value_parse(SETTING_MODE, "container", &v, &e), -EOPNOTSUPP);
	assert_string_equal(e.text, "Mode=container is not in this version");
	assert_int_equal(value_parse(SETTING_WORKSPACE, "worktree", &v, &e), -EOPNOTSUPP);
}

static void wrong_items(void **state)
{
	struct value v;
	struct error e;

	assert_int_equal(value_parse(SETTING_SET_ENV, "A=1 CLSECURE_X=secret", &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, ": item 2, 'CLSECURE_X='"));
	/* what may be the half of a secret is not said */
	assert_int_equal(value_parse(SETTING_SET_ENV, "TOKEN=pass word B=1", &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, ": item 2"));
	assert_null(strstr(e.text, "word"));
	assert_int_equal(value_parse(SETTING_SET_ENV, "A=1 B=2 3xy=4", &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, ": item 3"));
	assert_null(strstr(e.text, "3xy"));
	assert_int_equal(value_parse(SETTING_ALLOW_USERS, "bob a/b", &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, ": item 2"));
}

static void too_much(void **state)
{
	char long_text[VALUE_TEXT_MAX + 2], quotes[VALUE_TEXT_MAX + 1];
	struct value v;
	struct error e;

	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(value_parse(SETTING_COMMAND, long_text, &v, &e), -EINVAL);
	long_text[VALUE_TEXT_MAX] = '\0';
	assert_int_equal(value_parse(SETTING_COMMAND, long_text, &v, &e), 0);
	value_done(&v);
	/* one that would be longer when it is written */
	memset(quotes, '"', sizeof(quotes) - 1);
	memcpy(quotes, "A='", 3);
	quotes[sizeof(quotes) - 2] = '\'';
	quotes[sizeof(quotes) - 1] = '\0';
	assert_int_equal(value_parse(SETTING_SET_ENV, quotes, &v, &e), -EINVAL);
	/* too many words */
	for (size_t i = 0; i < VALUE_TEXT_MAX; i++)
		long_text[i] = i % 2 ? ' ' : 'a';
	long_text[VALUE_TEXT_MAX - 1] = '\0';
	assert_int_equal(value_parse(SETTING_ALLOW_USERS, long_text, &v, &e), -EINVAL);
	assert_non_null(strstr(e.text, "more than"));
}

static void lists_add_and_lose(void **state)
{
	struct value a, b;

	assert_int_equal(value_parse(SETTING_SET_ENV, "A=1 B=2", &a, NULL), 0);
	assert_int_equal(value_parse(SETTING_SET_ENV, "B=3 C=4", &b, NULL), 0);
	assert_int_equal(value_add(SETTING_SET_ENV, &a, &b), 0);
	assert_string_equal(a.text, "A=1 B=3 C=4");
	assert_int_equal(value_remove(SETTING_SET_ENV, &a, &b), 0);
	assert_string_equal(a.text, "A=1");
	assert_int_equal(a.number, 1);
	value_done(&a);
	value_done(&b);
}

static void tighten(enum setting s, const char *base, const char *wanted, const char *result,
	bool refused)
{
	struct value a, b;
	bool was = !refused;

	assert_int_equal(value_parse(s, base, &a, NULL), 0);
	assert_int_equal(value_parse(s, wanted, &b, NULL), 0);
	assert_int_equal(value_tighten(s, &a, &b, &was), 0);
	assert_string_equal(a.text, result);
	assert_int_equal(was, refused);
	value_done(&a);
	value_done(&b);
}

static void tightening(void **state)
{
	tighten(SETTING_NETWORK, "full", "none", "none", false);
	tighten(SETTING_NETWORK, "none", "full", "none", true);
	tighten(SETTING_OPEN_FILES, "100", "infinity", "100", true);
	tighten(SETTING_OPEN_FILES, "infinity", "100", "100", false);
	tighten(SETTING_HOME, "persistent", "ephemeral", "ephemeral", false);
	tighten(SETTING_PASS_ENV, "A B", "B C", "B", true);
	tighten(SETTING_PASS_ENV, "A B", "", "", false);
	tighten(SETTING_PASS_ENV, "A_*", "A_B", "", true);
	tighten(SETTING_HIDE, "a", "b", "a b", false);
	tighten(SETTING_HIDE, "a", "", "a", false);
	tighten(SETTING_COMMAND, "a", "b", "a", true);
	tighten(SETTING_COMMAND, "a", "a", "a", false);
}

/* A text of the source tree, "\\-" as "-". */
static char *document(const char *name)
{
	char path[512], *data = NULL, *out;
	size_t size = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", TEST_SRCDIR, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read_whole(fd, 1 << 20, &data, &size) < 0)
		fail_msg("%s", path);
	close(fd);
	out = data;
	for (size_t i = 0; i < size; i++)
		if (data[i] != '\\' || data[i + 1] != '-')
			*out++ = data[i];
	*out = '\0';
	return data;
}

/* What clsecure.conf(5) says of one setting. */
static char *paragraph(const char *man, const char *key)
{
	char head[64];
	const char *start, *end, *section;

	snprintf(head, sizeof(head), "\n.TP\n.B %s=\n", key);
	start = strstr(man, head);
	if (!start)
		fail_msg("%s= is not in the man page", key);
	start += strlen(head);
	end = strstr(start, "\n.TP") ?: start + strlen(start);
	section = strstr(start, "\n.S");
	if (section && section < end)
		end = section;
	return strndup(start, (size_t)(end - start));
}

static void says(const char *text, const char *key, const char *what)
{
	if (!strstr(text, what))
		fail_msg("the man page's %s= lacks '%s'", key, what);
}

/* A setting that there is: all that a person has to know of it. */
static void man_says(const char *man, enum setting s)
{
	static const char *const who[] = {
		[WHO_ADMIN] = "Set by: the administrator.", [WHO_OWNER] = "Set by: the owner.",
		[WHO_PROJECT] = "Set by: the owner; a project's file may tighten it.",
	};
	const struct setting_info *i = &settings[s];
	_cleanup_free_ char *text = paragraph(man, i->key);
	char line[512];

	if (*i->builtin)
		snprintf(line, sizeof(line), "\nDefault: \\fB%s\\fR.\n", i->builtin);
	says(text, i->key, *i->builtin ? line : "\nDefault: empty.\n");
	says(text, i->key, s <= SETTING_OWNER ? "Set by: clsecure itself." : who[i->who]);
	says(text, i->key,
		i->live ? "Takes effect: at once." : "Takes effect: with the next sandbox.");
	says(text, i->key, i->help);
	assert_int_equal(strstr(text, "Not in this version: ") != NULL, i->not_built != NULL);
	for (size_t c = 0; i->choices && i->choices[c]; c++)
		says(text, i->key, i->choices[c]);
}

static void the_man_page_is_the_tables(void **state)
{
	_cleanup_free_ char *man = document("docs/man/clsecure.conf.5");
	const char *rest = strstr(man, "\n.SH NOT IN THIS VERSION\n");
	const char *at[] = {[false] = rest, [true] = strstr(man, "\n.SH SETTINGS\n")};

	assert_non_null(rest);
	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		bool built = setting_built(s);
		_cleanup_free_ char *text = paragraph(man, settings[s].key);
		char line[512];

		if (built)
			man_says(man, s);
		else
			assert_string_equal(text, settings[s].help);
		/* in the table's order, so in the right section */
		snprintf(line, sizeof(line), "\n.B %s=\n", settings[s].key);
		assert_non_null(at[built]);
		at[built] = strstr(at[built], line);
		assert_non_null(at[built]);
		assert_int_equal(at[built] < rest, built);
	}
}

static int sampled(void *arg, const char *section, const char *key, const char *value,
	unsigned line, struct error *e)
{
	bool *seen = arg;
	enum setting s;

	if (!key)
		return section_check(section, e);
	assert_int_equal(setting_find(section, key, &s, NULL), 0);
	assert_string_equal(value, settings[s].builtin);
	seen[s] = true;
	return 0;
}

/* With its lines uncommented it says the defaults, of all that this version has. */
static void the_sample_says_the_defaults(void **state)
{
	_cleanup_free_ char *text = document("etc/clsecure.conf.sample");
	bool seen[SETTING_COUNT_] = {false};
	struct error e = {0};
	char *out = text;

	for (const char *in = text; *in; in++)
		if (in[0] != '#' || in[1] < 'A' || in[1] > 'Z')
			*out++ = *in;
	*out = '\0';
	if (ini_parse(text, strlen(text), "sample", sampled, seen, &e) < 0)
		fail_msg("%s", e.text);
	for (enum setting s = SETTING_ALLOW_USERS; s < SETTING_COUNT_; s++)
		assert_int_equal(seen[s], setting_built(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting_is_whole),
		cmocka_unit_test(wrong_names),
		cmocka_unit_test(values_of_all_types),
		cmocka_unit_test(not_in_this_version),
		cmocka_unit_test(wrong_items),
		cmocka_unit_test(too_much),
		cmocka_unit_test(lists_add_and_lose),
		cmocka_unit_test(tightening),
		cmocka_unit_test(the_man_page_is_the_tables),
		cmocka_unit_test(the_sample_says_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
