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

static void offer_options(
	const char *start, const struct command *command, const struct option_info *o)
{
	for (; o && o->kind != OPTION_NONE; o++)
		if (option_shown(command, o))
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

static void offer_settings(const char *start, const char *prefix)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		if (setting_built(s) && s != SETTING_PATH && s != SETTING_OWNER &&
			s != SETTING_ALLOW_ADD && s != SETTING_MAX_PROJECTS) {
			_cleanup_free_ char *key = NULL;

			if (asprintf(&key, "%s=", settings[s].key) >= 0)
				offer(start, prefix, key, "");
		}
}

/* What a setting can be, where there is a list of it. */
static void offer_values(const char *start, const char *prefix, enum setting s)
{
	static const char *const yes_or_no[] = {"yes", "no", NULL};
	const char *const *choice = settings[s].type == TYPE_BOOL ? yes_or_no : settings[s].choices;

	for (; choice && *choice; choice++)
		if (choice_built(s, *choice))
			offer(start, prefix, *choice, "");
}

/* KEY, or KEY=VALUE; prefix: what stands before it in the word. */
static void offer_assignments(const char *start, const char *prefix)
{
	const char *key = start + strlen(prefix), *equals = strchr(key, '=');
	_cleanup_free_ char *name = equals ? strndup(key, strcspn(key, "+-=")) : NULL;
	_cleanup_free_ char *before = equals ? strndup(start, (size_t)(equals + 1 - start)) : NULL;
	enum setting s;

	if (!equals)
		offer_settings(start, prefix);
	else if (name && before && setting_find(NULL, name, &s, NULL) == 0)
		offer_values(start, before, s);
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

/* "--name", "--name=...", "-n" */
static bool is_option(const struct option_info *o, const char *word)
{
	size_t n = strlen(o->name);

	if (strncmp(word, "--", 2) == 0)
		return strncmp(word + 2, o->name, n) == 0 && strchr("=", word[2 + n]);
	return o->letter && word[0] == '-' && word[1] == o->letter && !word[2];
}

/* One that takes a value; or NULL. */
static const struct option_info *find_option(const struct command *command, const char *word)
{
	const struct option_info *tables[] = {command->options, common_options};

	for (size_t i = 0; i < ELEMENTSOF(tables); i++)
		for (const struct option_info *o = tables[i]; o && o->kind != OPTION_NONE; o++)
			if (o->value && is_option(o, word))
				return o;
	return NULL;
}

/* Of an option that says a setting: --set any, --mode its own. */
static void offer_option_values(const char *start, const char *prefix, const struct option_info *o)
{
	_cleanup_free_ char *key = strndup(o->to ?: "", strcspn(o->to ?: "", "="));
	enum setting s;

	if (o->kind != OPTION_SETTING || !key)
		return;
	if (!*key)
		offer_assignments(start, prefix);
	else if (setting_find(NULL, key, &s, NULL) == 0)
		offer_values(start, prefix, s);
}

/* Where the last word stands. */
struct place {
	const struct command *command;
	int operands; /* before it */
	const struct option_info *value; /* it is the value of this option */
	bool words; /* it is of COMMAND, or of Claude Code's ARGS */
	bool first; /* the first of these */
};

static struct place find_place(int argc, char **argv)
{
	struct place p = {.command = &command_run};

	for (int i = 0; i < argc - 1; i++) {
		bool first = p.command == &command_run && p.operands == 0;
		const struct command *found = first ? command_find(argv[i]) : NULL;

		if (p.words) {
			p.first &= streq(argv[i], "--") && !streq(argv[i - 1], "--");
		} else if (streq(argv[i], "--")) {
			p.words = p.first = true;
		} else if (argv[i][0] == '-') {
			const struct option_info *o = find_option(p.command, argv[i]);

			if (o && !strchr(argv[i], '=') && ++i == argc - 1)
				p.value = o;
		} else if (found) {
			p.command = found;
		} else {
			p.operands++;
			p.words = p.first = p.command->flags & COMMAND_WORDS;
		}
	}
	return p;
}

/*
 * Of a command inside the shells know more than clsecure: it says where it begins, and they
 * complete it as their own.
 */
static void offer_words(const struct place *p)
{
	if (p->command->flags & COMMAND_WORDS)
		puts(p->first ? ":command" : ":file");
}

static void offer_operands(const char *start, const struct place *p)
{
	const struct command *command = p->command;
	bool settings_first = command->operand == OPERAND_PATH;

	if (command == &command_run && p->operands == 0)
		offer_commands(start);
	if (command == &command_help)
		offer_commands(start);
	if (command->operand == OPERAND_SETTING ? p->operands > 0 : settings_first)
		offer_assignments(start, "");
	else if (command->operand != OPERAND_NONE &&
		(p->operands == 0 || (command->max < 0 && command->operand != OPERAND_NAME)))
		offer_projects(start);
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct option_info *o;
	struct place p;
	const char *start;

	if (argc == 0)
		return 0;
	p = find_place(argc, argv);
	start = argv[argc - 1];
	if (p.words) {
		offer_words(&p);
	} else if (p.value) {
		offer_option_values(start, "", p.value);
	} else if (start[0] != '-') {
		offer_operands(start, &p);
	} else if (strchr(start, '=')) {
		_cleanup_free_ char *prefix = strndup(start, strcspn(start, "=") + 1);

		o = find_option(p.command, start);
		if (o && prefix)
			offer_option_values(start, prefix, o);
	} else {
		offer_options(start, p.command, p.command->options);
		offer_options(start, p.command, common_options);
	}
	return 0;
}

const struct command command_complete = {
	.name = "__complete",
	.operands = "WORD...",
	.max = -1,
	.flags = COMMAND_WORDS,
	.run = run,
};
