#include "config.h"
#include "launcher/clsecure/open.h"

static int run(struct cli *c, int argc, char **argv)
{
	bool named = c->before_dashes > 0;
	_cleanup_(project_done) struct project p = {0};
	_cleanup_free_ char *command = NULL;
	struct open_request o = {.project = &p, .terminal = true};
	int status = project_find(c, named ? argv[0] : NULL, FIND_ADD, &p);

	if (status != 0)
		return status;
	if (argc > named) {
		command = words_join(argv + named);
		if (!command) {
			complain("out of memory");
			return STATUS_OURS;
		}
	}
	o.command = command;
	return session_run(c, &o);
}

const struct command command_shell = {
	.name = "shell",
	.operands = "[PROJECT|PATH] [COMMAND...]",
	.summary = "a login shell, or a command, on a terminal in the sandbox",
	.description = "Opens a login shell in the project's sandbox, or runs COMMAND there: its\n"
		       "words are joined by blanks and given to the shell, as ssh does.  Without\n"
		       "PROJECT, -- stands before COMMAND.",
	.examples = "  clsecure shell\n"
		    "  clsecure shell app\n"
		    "  clsecure shell app 'make && make check'\n"
		    "  clsecure shell -- git status\n",
	.options = session_options,
	.max = -1,
	.flags = COMMAND_OPENS | COMMAND_WORDS | COMMAND_DASHES,
	.operand = OPERAND_EITHER,
	.run = run,
};
