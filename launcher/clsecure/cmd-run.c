#include "config.h"
#include "launcher/clsecure/ui.h"

static const struct option_info options[] = {
	{0, "allow-network", OPTION_SETTING, NULL, "Network=full", "this session reaches the network"},
	{0, "no-network", OPTION_SETTING, NULL, "Network=none", "this session reaches no network"},
	{0, "mode", OPTION_SETTING, "MODE", "Mode=", "how the sandbox is made: namespace"},
	{'l', "list", OPTION_COMMAND, NULL, "list", "as 'clsecure list'"},
	{0, "shell", OPTION_COMMAND, NULL, "shell", "as 'clsecure shell'"},
	{0, "info", OPTION_COMMAND, NULL, "info", "as 'clsecure info'"},
	{0, "config", OPTION_COMMAND, NULL, "info", "as 'clsecure info'"},
	{0, "cleanup", OPTION_COMMAND, NULL, "cleanup", "as 'clsecure cleanup'"},
	{0, "cleanup-all", OPTION_COMMAND, NULL, "cleanup-all", "as 'clsecure cleanup-all'"},
	{0, "no-docker", OPTION_IGNORED, NULL, "docker is never reachable from a sandbox", "how it always is"},
	{0, "allow-docker", OPTION_REFUSED, NULL,
		"not in this version: the docker group is root on the host; run docker outside, beside the sandbox", NULL},
	{0, "install-deps", OPTION_REFUSED, NULL,
		"replaced: run the installation inside, as in 'clsecure exec PROJECT npm ci' (with Network=full)", NULL},
	{0, "skip-setup", OPTION_IGNORED, NULL, "no script of the project is ever run before Claude", NULL},
	{0, "full-clone", OPTION_IGNORED, NULL, "nothing is cloned: the project itself is inside, whole", NULL},
	{'s', "session", OPTION_REFUSED, "NAME",
		"a second copy of a project is not in this version (Workspace=clone will be); sessions of one project share it", NULL},
	{0, "provider", OPTION_REFUSED, "NAME",
		"replaced: set ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN, which PassEnv lets in, or 'clsecure set PROJECT SetEnv=...'", NULL},
	{0},
};

static int run(struct cli *c, int argc, char **argv)
{
	return usage_error(c, "a command is needed");
}

const struct command command_run = {
	.name = "run",
	.operands = "[PROJECT|PATH] [-- ARGS...]",
	.summary = "run Claude Code in the sandbox of a project",
	.description =
		"Runs Claude Code in the sandbox of this directory's project, which is added on first use, with\n"
		"--dangerously-skip-permissions and ARGS.",
	.examples = "  clsecure\n"
		    "  clsecure --allow-network app\n"
		    "  clsecure -- -p 'fix the failing test'\n",
	.options = options,
	.max = 1,
	.flags = COMMAND_OPENS | COMMAND_DASHES,
	.operand = OPERAND_EITHER,
	.run = run,
};
