/*
 * The command line, by the tables of commands.c.  Options may stand before and after the
 * subcommand; a command that takes a command of its own (COMMAND_WORDS) reads none after its first
 * operand.
 */
#include "config.h"
#include "launcher/clsecure/ui.h"

#include <errno.h>
#include <stddef.h>

static const struct option_info *find_in(
	const struct option_info *table, char letter, const char *name, size_t n)
{
	for (; table && table->kind != OPTION_NONE; table++)
		if (letter ? table->letter == letter
			   : strlen(table->name) == n && memcmp(table->name, name, n) == 0)
			return table;
	return NULL;
}

static const struct option_info *find(const struct cli *c, char letter, const char *name, size_t n)
{
	const struct option_info *o = find_in(c->command->options, letter, name, n);

	return o ?: find_in(common_options, letter, name, n);
}

static void common(struct cli *c, const struct option_info *o)
{
	static const struct {
		const char *name;
		size_t offset;
	} table[] = {
		{"help", offsetof(struct cli, help)},
		{"quiet", offsetof(struct cli, quiet)},
		{"verbose", offsetof(struct cli, verbose)},
		{"yes", offsetof(struct cli, yes)},
		{"json", offsetof(struct cli, json)},
		{"no-pager", offsetof(struct cli, no_pager)},
		{"version", offsetof(struct cli, version)},
	};

	for (size_t i = 0; i < ELEMENTSOF(table); i++)
		if (streq(o->name, table[i].name))
			*(bool *)((char *)c + table[i].offset) = true;
}

static int keep_setting(struct cli *c, const struct option_info *o, const char *value)
{
	char *joined;

	if (c->n_settings == GIVEN_MAX || c->n_joined == GIVEN_MAX)
		return usage_error(c, "too many options");
	if (asprintf(&joined, "%s%s", o->to, value) < 0)
		return usage_error(c, "out of memory");
	c->joined[c->n_joined++] = joined;
	c->settings[c->n_settings++] = joined;
	return 0;
}

static int take(struct cli *c, const struct option_info *o, const char *value)
{
	switch (o->kind) {
	case OPTION_COMMAND:
		if (c->command != &command_run)
			return usage_error(c, "--%s cannot be combined with '%s'", o->name,
				c->command->name);
		c->command = command_find(o->to);
		return 0;
	case OPTION_SETTING:
		return keep_setting(c, o, value);
	case OPTION_IGNORED:
		if (c->verbose)
			complain("--%s: %s", o->name, o->to);
		return 0;
	case OPTION_REFUSED:
		complain("--%s: %s", o->name, o->to);
		return STATUS_USAGE;
	default:
		break;
	}
	if (o >= common_options && find_in(common_options, 0, o->name, strlen(o->name)) == o) {
		common(c, o);
		return 0;
	}
	if (c->n_given == GIVEN_MAX)
		return usage_error(c, "too many options");
	c->given[c->n_given].option = o;
	c->given[c->n_given++].value = value;
	return 0;
}

static int unknown_option(const struct cli *c, const char *word, size_t n)
{
	_cleanup_free_ char *name = strndup(word, n);
	const char *near = name ? option_nearest(c->command, name) : NULL;

	return usage_error(c, "unknown option '--%.*s'%s%s%s", (int)n, word,
		near ? "; did you mean '--" : "", near ?: "", near ? "'?" : "");
}

/* "--name", "--name=value", "--name value". */
static int long_option(struct cli *c, char **argv, int *i)
{
	const char *word = argv[*i] + 2, *equals = strchrnul(word, '='), *value = "";
	const struct option_info *o = find(c, 0, word, (size_t)(equals - word));

	if (!o)
		return unknown_option(c, word, (size_t)(equals - word));
	if (*equals && !o->value)
		return usage_error(c, "option '--%s' takes no value", o->name);
	if (*equals)
		value = equals + 1;
	else if (o->value) {
		if (!argv[*i + 1])
			return usage_error(c, "option '--%s' needs %s", o->name, o->value);
		value = argv[++*i];
	}
	return take(c, o, value);
}

/* "-q", "-qv", "-s value", "-svalue". */
static int short_options(struct cli *c, char **argv, int *i)
{
	for (const char *p = argv[*i] + 1; *p; p++) {
		const struct option_info *o = find(c, *p, NULL, 0);
		const char *value = "";
		int status;

		if (!o)
			return usage_error(c, "unknown option '-%c'", *p);
		if (o->value) {
			value = p[1] ? p + 1 : argv[*i + 1];
			if (!value)
				return usage_error(c, "option '-%c' needs %s", *p, o->value);
			if (!p[1])
				++*i;
		}
		status = take(c, o, value);
		if (status != 0 || o->value)
			return status;
	}
	return 0;
}

/* The first operand of clsecure itself may be the subcommand. */
static bool switches(struct cli *c, const char *word)
{
	const struct command *found;

	if (c->command != &command_run || c->n_operands > 0)
		return false;
	found = command_find(word);
	if (found)
		c->command = found;
	return found != NULL;
}

/*
 * Takes the words from argv[i] on as operands; a `--` right behind the first operand is no word.
 * An option there came too late: no program has such a name, or `--` says so.
 */
static int take_words(struct cli *c, char **argv, int i)
{
	const char *first = argv[i] ?: "";

	if (streq(first, "--"))
		i++;
	else if (first[0] == '-' && first[1] && c->command->flags & COMMAND_OPENS)
		return usage_error(c, "option '%s' has to stand before '%s'", first,
			c->operands[0]);
	while (argv[i])
		c->operands[c->n_operands++] = argv[i++];
	return 0;
}

static int parse_words(struct cli *c, char **argv)
{
	int status = 0;

	c->before_dashes = -1;
	for (int i = 1; argv[i] && status == 0; i++) {
		const char *word = argv[i];

		if (streq(word, "--")) {
			c->before_dashes = c->n_operands;
			status = take_words(c, argv, i);
			break;
		}
		if (word[0] == '-' && word[1] == '-')
			status = long_option(c, argv, &i);
		else if (word[0] == '-' && word[1])
			status = short_options(c, argv, &i);
		else if (!switches(c, word)) {
			c->operands[c->n_operands++] = word;
			if (c->command->flags & COMMAND_WORDS) {
				status = take_words(c, argv, i + 1);
				break;
			}
		}
	}
	if (c->before_dashes < 0)
		c->before_dashes = c->n_operands;
	return status;
}

/* Of clsecure itself the first word may be a mistyped command, with operands of its own. */
static int too_many(const struct cli *c)
{
	const char *near = c->command == &command_run ? command_nearest(c->operands[0]) : NULL;

	if (near)
		return usage_error(c, "there is no command '%s'; did you mean '%s'?",
			c->operands[0], near);
	return usage_error(c, "'%s' is one word too many", c->operands[c->command->max]);
}

static int check_operands(struct cli *c)
{
	const struct command *cmd = c->command;
	int n = cmd->flags & COMMAND_DASHES && !(cmd->flags & COMMAND_WORDS)
		? c->before_dashes
		: c->n_operands;

	if (c->help || c->version)
		return 0;
	if (c->json && !(cmd->flags & COMMAND_JSON))
		return usage_error(c, "--json: 'clsecure%s%s' has nothing to print as JSON",
			cmd == &command_run ? "" : " ", cmd == &command_run ? "" : cmd->name);
	if (n < cmd->min)
		return usage_error(c, "%s needs %s", cmd == &command_run ? "clsecure" : cmd->name,
			cmd->operands);
	return cmd->max >= 0 && n > cmd->max ? too_many(c) : 0;
}

int cli_parse(struct cli *c, int argc, char **argv)
{
	int status;

	*c = (struct cli){.command = &command_run};
	c->operands = calloc((size_t)argc + 1, sizeof(*c->operands));
	if (!c->operands)
		return usage_error(c, "out of memory");
	status = parse_words(c, argv);
	return status ?: check_operands(c);
}

void cli_done(struct cli *c)
{
	free(c->operands);
	for (size_t i = 0; i < c->n_joined; i++)
		free(c->joined[i]);
}

const char *cli_option(const struct cli *c, const char *name)
{
	for (size_t i = c->n_given; i > 0; i--)
		if (streq(c->given[i - 1].option->name, name))
			return c->given[i - 1].value;
	return NULL;
}
