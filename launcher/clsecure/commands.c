#include "config.h"
#include "launcher/clsecure/commands.h"
#include "lib/base/nearest.h"

const struct option_info common_options[] = {
	{'h', "help", OPTION_FLAG, NULL, NULL, "show this help"},
	{'q', "quiet", OPTION_FLAG, NULL, NULL, "print only what was asked for, and errors"},
	{'v', "verbose", OPTION_FLAG, NULL, NULL, "say more"},
	{'y', "yes", OPTION_FLAG, NULL, NULL, "answer yes to questions"},
	{0, "json", OPTION_FLAG, NULL, NULL, "print JSON, with \"version\": 1"},
	{0, "no-pager", OPTION_FLAG, NULL, NULL, "never start a pager"},
	{0, "version", OPTION_FLAG, NULL, NULL, "print the version"},
	{0},
};

const struct option_info session_options[] = {SESSION_OPTIONS, {0}};

const struct command *const commands[] = {
	&command_shell,
	&command_exec,
	&command_add,
	&command_set,
	&command_list,
	&command_info,
	&command_sessions,
	&command_kill,
	&command_net,
	&command_allow,
	&command_approvals,
	&command_forward,
	&command_remove,
	&command_cleanup,
	&command_cleanup_all,
	&command_ssh_config,
	&command_doctor,
	&command_setup,
	&command_unsetup,
	&command_help,
	&command_complete,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (streq(name, commands[i]->name) ||
		    (commands[i]->alias && streq(name, commands[i]->alias)))
			return commands[i];
	return NULL;
}

const char *command_nearest(const char *word)
{
	struct nearest n = {.typed = word};

	for (size_t i = 0; commands[i]; i++) {
		if (!commands[i]->summary)
			continue;
		nearest_try(&n, commands[i]->name);
		nearest_try(&n, commands[i]->alias);
	}
	return nearest_likely(&n);
}

const char *option_nearest(const struct command *command, const char *word)
{
	const struct option_info *const tables[] = {command->options, common_options};
	struct nearest n = {.typed = word};

	for (size_t i = 0; i < ELEMENTSOF(tables); i++)
		for (const struct option_info *o = tables[i]; o && o->kind != OPTION_NONE; o++)
			nearest_try(&n, o->name);
	return nearest_likely(&n);
}

bool option_shown(const struct command *command, const struct option_info *o)
{
	/* Of clsecure itself: before the command's name, and with --list and its like. */
	if (streq(o->name, "json"))
		return command == &command_run || command->flags & COMMAND_JSON;
	return o->help != NULL;
}
