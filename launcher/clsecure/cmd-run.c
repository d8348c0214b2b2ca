#include "config.h"
#include "launcher/clsecure/open.h"

static const struct option_info options[] = {
	SESSION_OPTIONS,
	{'l', "list", OPTION_COMMAND, NULL, "list", "as 'clsecure list'"},
	{0, "shell", OPTION_COMMAND, NULL, "shell", "as 'clsecure shell'"},
	{0, "info", OPTION_COMMAND, NULL, "info", "as 'clsecure info'"},
	{0, "config", OPTION_COMMAND, NULL, "info", "as 'clsecure info'"},
	{0, "cleanup", OPTION_COMMAND, NULL, "cleanup", "as 'clsecure cleanup'"},
	{0, "cleanup-all", OPTION_COMMAND, NULL, "cleanup-all", "as 'clsecure cleanup-all'"},
	{0, "no-docker", OPTION_IGNORED, NULL, "docker is never reachable from a sandbox",
		"how it always is"},
	{0, "allow-docker", OPTION_REFUSED, NULL,
		"not in this version: the docker group is root on the host; run docker outside, "
		"beside the sandbox",
		NULL},
	{0, "install-deps", OPTION_REFUSED, NULL,
		"replaced: run the installation inside, as in 'clsecure exec PROJECT npm ci' (with "
		"Network=full)",
		NULL},
	{0, "skip-setup", OPTION_IGNORED, NULL,
		"no script of the project is ever run before Claude", NULL},
	{0, "full-clone", OPTION_IGNORED, NULL,
		"nothing is cloned: the project itself is inside, whole", NULL},
	{'s', "session", OPTION_REFUSED, "NAME",
		"a second copy of a project is not in this version (Workspace=clone will be); "
		"sessions of one project share it",
		NULL},
	{0, "provider", OPTION_REFUSED, "NAME",
		"replaced: set ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN, which PassEnv lets in, "
		"or 'clsecure set PROJECT SetEnv=...'",
		NULL},
	{0},
};

#define SKIP "--dangerously-skip-permissions"

static bool in_list(char *const *list, const char *name)
{
	for (; list && *list; list++) {
		size_t n = strlen(*list);

		if (n > 0 && (*list)[n - 1] == '*' ? strncmp(*list, name, n - 1) == 0
						   : streq(*list, name))
			return true;
	}
	return false;
}

/* Something by which Claude can talk to an API. */
static bool has_credential(const struct project *p)
{
	static const char *const names[] = {"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
		"CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"};

	for (size_t i = 0; i < ELEMENTSOF(names); i++)
		if (in_list(p->set_env, names[i]) ||
			(getenv(names[i]) && in_list(p->pass_env, names[i])))
			return true;
	return p->logged_in;
}

static void advise(const struct cli *c, const struct project *p)
{
	if (c->quiet)
		return;
	if (streq(p->network, "none")) {
		complain("Claude's API is out of reach: project '%s' has Network=none", p->slug);
		remedy("'clsecure --allow-network' opens the network for this session, "
		       "'clsecure set %s Network=full' for all.", p->slug);
	}
	if (!has_credential(p)) {
		complain("no credential for Claude is in sight");
		remedy("Set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN, or log in inside once: "
		       "it stays in the "
		       "project's home.");
	}
}

static bool is_claude(const char *command)
{
	size_t n = strcspn(command, " \t");
	const char *end = command + n;

	return n >= 6 && memcmp(end - 6, "claude", 6) == 0 && (n == 6 || end[-7] == '/');
}

/*
 * Command= is for the worker's shell, with ARGS as its parameters; owned.  Claude Code takes its own
 * flag; what a person put in its place gets only ARGS.
 */
static char *command_for(const struct project *p)
{
	char *command = NULL;

	return asprintf(&command, "exec %s%s \"$@\"", p->command,
		       is_claude(p->command) ? " " SKIP : "") < 0 ? NULL : command;
}

/* Claude Code as it was found, and ARGS: words that no shell reads.  An owned array. */
static char **words_for(const struct project *p, char **args)
{
	char **words;
	size_t n = 0;

	while (args[n])
		n++;
	words = calloc(n + 3, sizeof(*words));
	if (!words)
		return NULL;
	words[0] = p->claude ?: (char *)"claude";
	words[1] = (char *)SKIP;
	memcpy(words + 2, args, n * sizeof(*args));
	return words;
}

static int run(struct cli *c, int argc, char **argv)
{
	bool named = c->before_dashes > 0;
	_cleanup_(project_done) struct project p = {0};
	_cleanup_free_ char *command = NULL;
	_cleanup_free_ char **words = NULL;
	struct open_request o = {.project = &p, .words = argv + named};
	int status = project_find(c, named ? argv[0] : NULL, FIND_ADD, &p);

	if (status != 0)
		return status;
	advise(c, &p);
	if (*p.command)
		o.command = command = command_for(&p);
	else
		o.words = words = words_for(&p, argv + named);
	if (!command && !words) {
		complain("out of memory");
		return STATUS_OURS;
	}
	o.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	status = session_run(c, &o);
	if (status == 127 && !*p.command && !p.claude) {
		complain("Claude Code was not found, neither in the host's system nor in the "
			 "owner's home");
		remedy("Install it, or name what to run: clsecure set %s Command=...", p.slug);
	}
	return status;
}

const struct command command_run = {
	.name = "run",
	.operands = "[PROJECT|PATH] [-- ARGS...]",
	.summary = "run Claude Code in the sandbox of a project",
	.description = "Runs Claude Code in the sandbox of this directory's project, which is\n"
		       "added on first use, with --dangerously-skip-permissions and ARGS.",
	.examples = "  clsecure\n"
		    "  clsecure --allow-network app\n"
		    "  clsecure -- -p 'fix the failing test'\n",
	.options = options,
	.max = 1,
	.flags = COMMAND_OPENS | COMMAND_DASHES,
	.operand = OPERAND_EITHER,
	.run = run,
};
