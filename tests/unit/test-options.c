/*
 * The table of subcommands and options: whole, consistent, and in the man page; and what the parser
 * makes of words.
 */
#include "config.h"
#include "launcher/clsecure/ui.h" /* before cmocka, whose fail() is another */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <limits.h>

#include "lib/base/names.h"

static void option_whole(const struct option_info *o)
{
	assert_non_null(o->name);
	assert_true(strlen(o->name) > 1);
	switch (o->kind) {
	case OPTION_COMMAND:
		assert_non_null(command_find(o->to));
		assert_null(o->value);
		break;
	case OPTION_SETTING:
		assert_non_null(o->to);
		/* "KEY=" and a value, or all of it */
		assert_true(o->value != NULL || strchr(o->to, '=')[1] != '\0');
		break;
	case OPTION_IGNORED:
	case OPTION_REFUSED:
		assert_non_null(o->to);
		break;
	default:
		break;
	}
}

static void options_apart(const struct option_info *a, const struct option_info *b)
{
	for (const struct option_info *o = a; o && o->kind != OPTION_NONE; o++)
		for (const struct option_info *p = b; p && p->kind != OPTION_NONE; p++) {
			if (o == p)
				continue;
			assert_string_not_equal(o->name, p->name);
			assert_true(!o->letter || o->letter != p->letter);
		}
}

static void command_whole(const struct command *c)
{
	assert_non_null(c->run);
	assert_non_null(c->operands);
	assert_true(c->max < 0 || c->max >= c->min);
	options_apart(c->options, c->options);
	options_apart(c->options, common_options);
	for (const struct option_info *o = c->options; o && o->kind != OPTION_NONE; o++)
		option_whole(o);
	if (!c->summary)
		return;
	assert_int_equal(c->summary[strlen(c->summary) - 1] == '.', 0);
	assert_non_null(c->examples);
	for (const char *p = c->examples; *p; p = strchr(p, '\n') + 1) {
		assert_non_null(strchr(p, '\n'));
		assert_non_null(strstr(p, "clsecure"));
	}
}

static void tables(void **state)
{
	command_whole(&command_run);
	options_apart(common_options, common_options);
	for (size_t i = 0; commands[i]; i++) {
		command_whole(commands[i]);
		assert_ptr_equal(command_find(commands[i]->name), commands[i]);
		/* No project may have its name. */
		assert_true(slug_reserved(commands[i]->name) || !slug_valid(commands[i]->name));
		if (commands[i]->alias) {
			assert_ptr_equal(command_find(commands[i]->alias), commands[i]);
			assert_true(slug_reserved(commands[i]->alias));
		}
	}
	assert_null(command_find("frob"));
	assert_null(command_find(""));
}

/* The page's text with troff's \- as -. */
static char *read_page(void)
{
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX], *text = calloc(1, 65536), *to = text;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/docs/man/clsecure.1", srcdir ?: ".");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, text, 65535);
	close(fd);
	assert_true(n > 0 && n < 65535);
	for (char *from = text; *from; from++)
		if (from[0] != '\\' || from[1] != '-')
			*to++ = *from;
	*to = '\0';
	return text;
}

static void in_page(const char *page, const char *prefix, const char *name)
{
	char word[64];

	snprintf(word, sizeof(word), "%s%s", prefix, name);
	if (!strstr(page, word))
		fail_msg("clsecure.1 does not mention '%s'", word);
}

static void man_page(void **state)
{
	_cleanup_free_ char *page = read_page();

	for (size_t i = 0; commands[i]; i++) {
		if (!commands[i]->summary)
			continue;
		in_page(page, "clsecure ", commands[i]->name);
		for (const struct option_info *o = commands[i]->options;
			o && o->kind != OPTION_NONE; o++)
			in_page(page, "--", o->name);
	}
	for (const struct option_info *o = command_run.options; o->kind != OPTION_NONE; o++)
		in_page(page, "--", o->name);
	for (const struct option_info *o = common_options; o->kind != OPTION_NONE; o++)
		in_page(page, "--", o->name);
}

static const struct parse_case {
	const char *words[8];
	int status;
	const char *command;
	int n, before_dashes;
	const char *first; /* operand, or NULL */
	const char *setting; /* first, or NULL */
} parses[] = {
	{{NULL}, 0, "run", 0, 0},
	{{"app"}, 0, "run", 1, 1, "app"},
	{{"list"}, 0, "list", 0, 0},
	{{"ls", "--json"}, 0, "list", 0, 0},
	{{"--json", "ls"}, 0, "list", 0, 0},
	{{"--list"}, 0, "list", 0, 0},
	{{"-l"}, 0, "list", 0, 0},
	{{"--list", "--cleanup"}, 2, "list"},
	{{"app", "list"}, 2, "run"},
	{{"--", "list"}, 0, "run", 1, 0, "list"},
	{{"app", "--", "-p", "x"}, 0, "run", 3, 1, "app"},
	{{"app", "--allow-network"}, 0, "run", 1, 1, "app", "Network=full"},
	{{"--mode=namespace"}, 0, "run", 0, 0, NULL, "Mode=namespace"},
	{{"--mode", "namespace"}, 0, "run", 0, 0, NULL, "Mode=namespace"},
	{{"--mode"}, 2, "run"},
	{{"--json=yes"}, 2, "run"},
	{{"-qz"}, 2, "run"},
	{{"-sname"}, 2, "run"},
	{{"--allow-docker"}, 2, "run"},
	{{"--no-docker"}, 0, "run", 0, 0},
	{{"--frob"}, 2, "run"},
	{{"--js"}, 2, "run"}, /* an option is not guessed */
	{{"lsit", "app"}, 2, "run"},
	{{"shell", "app", "ls", "-l", "--json"}, 0, "shell", 4, 4, "app"},
	{{"shell", "--set", "A=1", "app"}, 0, "shell", 1, 1, "app", "A=1"},
	{{"shell", "app", "--", "ls"}, 0, "shell", 2, 2, "app"},
	{{"shell", "--", "ls", "--", "x"}, 0, "shell", 3, 0, "ls"},
	{{"exec", "--", "-x"}, 0, "exec", 1, 0, "-x"},
	{{"exec", "app", "--allow-network", "true"}, 2, "exec"},
	{{"exec", "app", "--frob", "true"}, 2, "exec"},
	{{"shell", "app", "-v"}, 2, "shell"},
	{{"shell", "app", "-"}, 0, "shell", 2, 2, "app"},
	{{"exec", "app", "--", "--allow-network", "true"}, 0, "exec", 3, 3, "app"},
	{{"exec", "app", "true", "--allow-network"}, 0, "exec", 3, 3, "app"},
	{{"set", "app"}, 2, "set"},
	{{"set", "app", "A=1"}, 0, "set", 2, 2, "app"},
	{{"kill", "a", "b"}, 2, "kill"},
	{{"kill", "--help"}, 0, "kill", 0, 0},
	{{"net"}, 0, "net", 0, 0},
	{{"net", "-f", "app"}, 0, "net", 1, 1, "app"},
	{{"net", "a", "b"}, 2, "net"},
	{{"allow"}, 2, "allow"},
	{{"allow", "app", "x.test"}, 0, "allow", 2, 2, "app"},
	{{"forward", "app"}, 2, "forward"},
	{{"forward", "app", "80:8080"}, 0, "forward", 2, 2, "app"},
	{{"approvals", "-f"}, 0, "approvals", 0, 0},
	{{"add", "--name"}, 2, "add"},
	{{"add", "--name", "x", "-"}, 0, "add", 1, 1, "-"},
};

static void parsing(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(parses); i++) {
		const struct parse_case *t = &parses[i];
		char *argv[10] = {(char *)"clsecure"};
		struct cli c;
		int argc = 1;

		while (t->words[argc - 1]) {
			argv[argc] = (char *)t->words[argc - 1];
			argc++;
		}
		assert_int_equal(cli_parse(&c, argc, argv), t->status);
		assert_string_equal(c.command->name, t->command);
		if (t->status == 0) {
			assert_int_equal(c.n_operands, t->n);
			assert_int_equal(c.before_dashes, t->before_dashes);
			if (t->first)
				assert_string_equal(c.operands[0], t->first);
			assert_null(c.operands[c.n_operands]);
			if (t->setting)
				assert_string_equal(c.settings[0], t->setting);
			assert_null(c.settings[c.n_settings]);
		}
		cli_done(&c);
	}
}

static const struct {
	const char *typed, *command, *option; /* NULL: none is likely */
} slips[] = {
	{"lsit", "list", NULL},
	{"LIST", "list", NULL},
	{"sess", "sessions", NULL},
	{"sesions", "sessions", NULL},
	{"terminat", "terminate", NULL},
	{"unstup", "unsetup", NULL},
	{"__complet", NULL, NULL},
	{"hlep", "help", "help"},
	{"jsno", NULL, "json"},
	{"verb", NULL, "verbose"},
	{"allow-netwrok", NULL, "allow-network"},
	{"dry-run", NULL, NULL}, /* of another command */
	{"app", "approvals", NULL},
	{"api", NULL, NULL},
	{"web", NULL, NULL},
	{"l", NULL, NULL},
	{"", NULL, NULL},
};

static void same_word(const char *typed, const char *found, const char *wanted)
{
	if (!found != !wanted || (found && !streq(found, wanted)))
		fail_msg("'%s' is '%s', not '%s'", typed, found ?: "none", wanted ?: "none");
}

static void mistyped(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(slips); i++) {
		same_word(slips[i].typed, command_nearest(slips[i].typed), slips[i].command);
		same_word(slips[i].typed, option_nearest(&command_shell, slips[i].typed),
			slips[i].option);
	}
}

static void given(void **state)
{
	char *argv[] = {(char *)"clsecure", (char *)"add", (char *)"--name=x", (char *)"--name",
		(char *)"y", NULL};
	struct cli c;

	assert_int_equal(cli_parse(&c, 5, argv), 0);
	assert_string_equal(cli_option(&c, "name"), "y");
	assert_null(cli_option(&c, "profile"));
	cli_done(&c);
}

static void widths(void **state)
{
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(man_page),
		cmocka_unit_test(parsing),
		cmocka_unit_test(mistyped),
		cmocka_unit_test(given),
		cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
