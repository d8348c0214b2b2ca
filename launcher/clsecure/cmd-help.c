#include "config.h"
#include "launcher/clsecure/ui.h"

static int run(struct cli *c, int argc, char **argv)
{
	const struct command *command = argc > 0 ? command_find(argv[0]) : &command_run;
	const char *near;

	if (!command) {
		near = command_nearest(argv[0]);
		c->command = &command_run; /* its help has the commands */
		return usage_error(c, "there is no command '%s'%s%s%s", argv[0],
			near ? "; did you mean '" : "", near ?: "", near ? "'?" : "");
	}
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
