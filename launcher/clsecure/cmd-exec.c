#include "config.h"
#include "launcher/clsecure/open.h"

static int run(struct cli *c, int argc, char **argv)
{
	bool named = c->before_dashes > 0;
	_cleanup_(project_done) struct project p = {0};
	struct open_request o = {.project = &p, .words = argv + named};
	int status;

	if (argc <= named)
		return usage_error(c, "exec needs a COMMAND%s",
			named ? "; without a PROJECT, -- stands before it" : "");
	status = project_find(c, named ? argv[0] : NULL, FIND_ADD, &p);
	return status != 0 ? status : session_run(c, &o);
}

const struct command command_exec = {
	.name = "exec",
	.operands = "[PROJECT|PATH] COMMAND...",
	.summary = "a command in the sandbox, without a terminal",
	.description = "Runs COMMAND with its words as they are.  Its three streams and its exit\n"
		       "status pass; a terminal among them is never passed in, but replaced by a\n"
		       "pipe.  Without PROJECT, -- stands before COMMAND.",
	.examples = "  clsecure exec app make -j4\n"
		    "  tar c . | clsecure exec app tar x -C /tmp\n"
		    "  clsecure exec -- git log -1\n",
	.options = session_options,
	.max = -1,
	.flags = COMMAND_OPENS | COMMAND_WORDS | COMMAND_DASHES,
	.operand = OPERAND_EITHER,
	.run = run,
};
