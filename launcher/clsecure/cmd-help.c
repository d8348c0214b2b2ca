#include "config.h"
#include "launcher/clsecure/ui.h"

static int run(struct cli *c, int argc, char **argv)
{
	const struct command *command = argc > 0 ? command_find(argv[0]) : &command_run;

	if (!command)
		return usage_error(c, "unknown command '%s'", argv[0]);
	help_print(command, stdout);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "show the help of a command",
	.examples = "  clsecure help add\n",
	.max = 1,
	.run = run,
};
