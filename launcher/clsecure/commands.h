/*
 * The one table of subcommands and options: parsing, `--help`, usage errors and the completions
 * come from it.  A subcommand is a file cmd-NAME.c that defines a struct command, named below and
 * listed in commands.c.
 */
#ifndef CLSECURE_COMMANDS_H
#define CLSECURE_COMMANDS_H

#include "lib/base/error.h"

struct cli;

enum option_kind {
	OPTION_NONE, /* the end of a table */
	OPTION_FLAG, /* cli_option() tells */
	OPTION_VALUE, /* likewise, with its value */
	/* `to` is KEY=VALUE for this run; the option's value, if it takes one, is appended */
	OPTION_SETTING,
	OPTION_COMMAND, /* an older spelling of the subcommand `to` */
	OPTION_IGNORED, /* how things are anyway: `to` says so with -v */
	OPTION_REFUSED, /* exit 2; `to` says what replaces it */
};

struct option_info {
	char letter; /* or 0 */
	const char *name; /* without dashes */
	enum option_kind kind;
	const char *value; /* name of its value in help; NULL: it takes none */
	const char *to;
	const char *help; /* one line; NULL: not shown */
};

/* What holds for one session, for the table of a command that opens one. */
#define SESSION_OPTIONS \
	{0, "allow-network", OPTION_SETTING, NULL, "Network=full", \
		"this session reaches the network"}, \
	{0, "no-network", OPTION_SETTING, NULL, "Network=none", \
		"this session reaches no network"}, \
	{0, "mode", OPTION_SETTING, "MODE", "Mode=", "how the sandbox is made: namespace"}, \
	{0, "set", OPTION_SETTING, "KEY=VALUE", "", "any setting, for this session"}

enum operand_kind { /* what completion offers */
	OPERAND_NONE,
	OPERAND_PROJECT,
	OPERAND_PATH,
	OPERAND_EITHER,
	OPERAND_SETTING, /* a project, then KEY=VALUE */
	OPERAND_NAME, /* a project, then what cannot be offered */
};

enum command_flags {
	COMMAND_WORDS = 1, /* from the first operand on no word is an option: a command follows */
	COMMAND_OPENS = 2, /* opens a session: clsecure's own failure is 125 */
	COMMAND_DASHES = 4, /* `--` and what follows means something */
	COMMAND_JSON = 8, /* has something to print as JSON */
};

struct command {
	const char *name, *alias;
	const char *operands; /* as in usage: "PROJECT KEY=VALUE..." */
	const char *summary; /* one line, lower case, no full stop; NULL: not for people */
	const char *description; /* sentences, or NULL */
	const char *examples; /* lines "clsecure ...", each with its end */
	const struct option_info *options; /* its own, OPTION_NONE at the end; or NULL */
	int min, max; /* operands; max -1: any number */
	unsigned flags;
	enum operand_kind operand;
	/* argv: the operands, NULL after them.  Returns the exit status. */
	int (*run)(struct cli *c, int argc, char **argv);
};

#define GIVEN_MAX 32

struct cli {
	const struct command *command;
	bool quiet, verbose, yes, json, no_pager;
	int before_dashes; /* operands before `--`; all of them when there is none */
	const char *settings[GIVEN_MAX + 1]; /* KEY=VALUE for this run, NULL-terminated */
	size_t n_settings;
	struct {
		const struct option_info *option;
		const char *value; /* "" for a flag */
	} given[GIVEN_MAX];
	size_t n_given;
	const char **operands;
	int n_operands;
	bool help, version;
	char *joined[GIVEN_MAX]; /* owned */
	size_t n_joined;
};

extern const struct command command_run; /* without a subcommand */
extern const struct command command_shell, command_exec, command_add, command_set, command_remove,
	command_cleanup, command_cleanup_all, command_list, command_sessions, command_kill,
	command_info, command_help, command_complete, command_setup, command_unsetup,
	command_doctor, command_ssh_config, command_net, command_allow,
	command_approvals, command_forward;

extern const struct command *const commands[]; /* NULL-terminated */
extern const struct option_info common_options[]; /* of every command */
extern const struct option_info session_options[]; /* of one that opens a session, no others */

/* By name or alias; NULL. */
const struct command *command_find(const char *name);

/* Help and completion have it. */
bool option_shown(const struct command *command, const struct option_info *o);

/* The command, or the option of a command, that a mistyped word is likely to mean; or NULL. */
const char *command_nearest(const char *word);
const char *option_nearest(const struct command *command, const char *word);

/*
 * Reads the command line.  0; else the exit status, with the reason on stderr.  c->command is set
 * to what was asked, also on failure.
 */
int cli_parse(struct cli *c, int argc, char **argv);
void cli_done(struct cli *c);

/* The value of an option of the command's own that was given ("" for a flag), or NULL. */
const char *cli_option(const struct cli *c, const char *name);

/* Prints the help of a command (command_run: of clsecure). */
void help_print(const struct command *command, FILE *f);

#endif
