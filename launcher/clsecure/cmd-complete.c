/*
 * What the completions of bash and zsh ask for: `clsecure __complete WORD...` prints what the last
 * WORD could become, one a line.  So that they know every subcommand, option and setting, from the
 * tables.
 */
#include "config.h"
#include "launcher/clsecure/rows.h"
#include "lib/policy/settings.h"

static void offer(const char *start, const char *prefix, const char *word, const char *suffix)
{
	size_t n = strlen(start), k = strlen(prefix);

	if (n <= k ? strncmp(start, prefix, n) == 0
		   : strncmp(start, prefix, k) == 0 && strncmp(start + k, word, n - k) == 0)
		printf("%s%s%s\n", prefix, word, suffix);
}

static void offer_options(const char *start, const struct option_info *o)
{
	for (; o && o->kind != OPTION_NONE; o++)
		if (o->help)
			offer(start, "--", o->name, "");
}

static void offer_projects(const char *start)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct cli quiet = {.command = &command_run, .quiet = true};
	struct answer a = {0};

	if (message_add(&q, "op", "list") < 0 || ask(&quiet, &q, rows_take, &r, &a) < 0)
		return;
	for (size_t i = 0; i < r.n; i++)
		offer(start, "", rows_get(&r, i, "project"), "");
}

static void offer_settings(const char *start)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		if (setting_built(s) && s != SETTING_PATH && s != SETTING_OWNER &&
			s != SETTING_ALLOW_ADD && s != SETTING_MAX_PROJECTS)
			offer(start, "", settings[s].key, "=");
}

static void offer_commands(const char *start)
{
	for (size_t i = 0; commands[i]; i++) {
		if (commands[i]->summary)
			offer(start, "", commands[i]->name, "");
		if (commands[i]->alias)
			offer(start, "", commands[i]->alias, "");
	}
}

/* The word before may be an option that takes a value: then there is nothing to say. */
static bool wants_value(const struct command *command, const char *word)
{
	const struct option_info *tables[] = {command->options, common_options};

	if (word[0] != '-' || strchr(word, '='))
		return false;
	for (size_t i = 0; i < ELEMENTSOF(tables); i++)
		for (const struct option_info *o = tables[i]; o && o->kind != OPTION_NONE; o++)
			if (o->value && ((word[1] == '-' && streq(word + 2, o->name)) ||
						(o->letter && word[1] == o->letter && !word[2])))
				return true;
	return false;
}

/* The command among words before the last, and how many operands of it are there already. */
static const struct command *find_command(int argc, char **argv, int *ret_operands)
{
	const struct command *command = &command_run;
	int n = 0;

	for (int i = 0; i < argc - 1; i++) {
		const struct command *found;

		if (argv[i][0] == '-')
			continue;
		found = command == &command_run && n == 0 ? command_find(argv[i]) : NULL;
		if (found)
			command = found;
		else
			n++;
	}
	*ret_operands = n;
	return command;
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct command *command;
	const char *start;
	int n = 0;

	if (argc == 0)
		return 0;
	command = find_command(argc, argv, &n);
	start = argv[argc - 1];
	if (argc > 1 && wants_value(command, argv[argc - 2]))
		return 0;
	if (start[0] == '-') {
		offer_options(start, command->options);
		offer_options(start, common_options);
		return 0;
	}
	if (command == &command_run && n == 0)
		offer_commands(start);
	if (command == &command_help)
		offer_commands(start);
	if (command->operand == OPERAND_SETTING ? n > 0 : command->operand == OPERAND_PATH)
		offer_settings(start);
	else if (command->operand != OPERAND_NONE && (n == 0 || command->max < 0))
		offer_projects(start);
	return 0;
}

const struct command command_complete = {
	.name = "__complete",
	.operands = "WORD...",
	.max = -1,
	.flags = COMMAND_WORDS,
	.run = run,
};
