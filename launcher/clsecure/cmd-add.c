#include "config.h"
#include "launcher/clsecure/rows.h"
#include "launcher/clsecure/words.h"

static const struct option_info options[] = {
	{0, "name", OPTION_VALUE, "NAME", NULL, "its name, instead of one from the directory's"},
	{0, "profile", OPTION_SETTING, "P", "Profile=",
		"settings of /etc/clsecure/profiles/P.conf"},
	{0},
};

static bool is_setting(const char *word)
{
	const char *equals = strchr(word, '=');

	return equals && equals != word && !memchr(word, '/', (size_t)(equals - word));
}

static int add_settings(const struct cli *c, struct message *q, char **words)
{
	const char *name = cli_option(c, "name");
	int err = name ? message_add(q, "name", name) : 0;

	for (; err == 0 && *words; words++)
		err = message_add(q, "setting", *words);
	return err;
}

static int run(struct cli *c, int argc, char **argv)
{
	bool path = argc > 0 && !is_setting(argv[0]);
	_cleanup_message_ struct message q = {0};
	_cleanup_free_ char *real = realpath(path ? argv[0] : ".", NULL);
	char slug[SLUG_MAX + 1];
	int status;

	if (!real) {
		complain("find the directory '%s': %m", path ? argv[0] : ".");
		return STATUS_FAILED;
	}
	for (int i = path; i < argc; i++)
		if (!is_setting(argv[i]))
			return usage_error(c, "'%s' is no KEY=VALUE", argv[i]);
	if (request_new(c, "add", &q) < 0 || add_settings(c, &q, argv + path) < 0) {
		complain("add '%s': too many settings", real);
		return STATUS_USAGE;
	}
	status = project_add(c, &q, real, slug);
	if (status == 0 && c->json) {
		const char *const keys[] = {"project", "user", "path", NULL};
		char user[WORKER_NAME_MAX + 1];
		const char *const values[] = {slug, user, real};

		worker_name(slug, user);
		json_print_object(keys, values);
	}
	return status;
}

const struct command command_add = {
	.name = "add",
	.operands = "[PATH] [KEY=VALUE...]",
	.summary = "make a directory a project",
	.description = "Registers PATH, or this directory, as a project with a user of its own,\n"
		       "and prints the project's name and the user's.",
	.examples = "  clsecure add\n"
		    "  clsecure add ~/src/app --name app Network=full\n",
	.options = options,
	.max = -1,
	.operand = OPERAND_PATH,
	.flags = COMMAND_JSON,
	.run = run,
};
