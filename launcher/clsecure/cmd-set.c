#include "config.h"
#include "launcher/clsecure/words.h"

#include <errno.h>

/* The settings of which a sandbox that runs knows nothing. */
static int tell_waits(void *arg, const struct message *m)
{
	const char *project = message_get(m, "project");
	_cleanup_free_ char **keys = message_list(m, "waits", NULL);
	_cleanup_free_ char *words = NULL;
	size_t size = 0;
	FILE *f = keys ? open_memstream(&words, &size) : NULL;

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; keys[i]; i++)
		fprintf(f, "%s%s", i > 0 ? ", " : "", keys[i]);
	if (fclose(f) != 0)
		return -ENOMEM;
	if (keys[0] && project)
		say(arg,
			"What was said of %s counts from the next sandbox of '%s' on: "
			"'clsecure kill %s' ends the one that runs.",
			words, project, project);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err;

	for (int i = 1; i < argc; i++)
		if (!strchr(argv[i], '='))
			return usage_error(c, "'%s' is no KEY=VALUE", argv[i]);
	err = request_new(c, "set", &q);
	if (err == 0)
		err = word_add(&q, argv[0], &a.error);
	for (int i = 1; err == 0 && i < argc; i++)
		err = message_add(&q, "setting", argv[i]);
	if (err < 0 && !a.error.code)
		error_errno(&a.error, err, "set '%s'", argv[0]);
	if (err == 0)
		err = ask(c, &q, tell_waits, c, &a);
	if (err < 0)
		return answer_fail(c, &a);
	return 0;
}

const struct command command_set = {
	.name = "set",
	.operands = "PROJECT KEY=VALUE...",
	.summary = "change settings of a project",
	.description = "KEY=VALUE sets, KEY+=VALUE adds to a list, KEY-=VALUE takes from it,\n"
		       "KEY= goes back to the default. All are checked before any is changed.\n"
		       "clsecure.conf(5) says of each whether it counts at once; for the others a\n"
		       "sandbox that runs stays as it is, and set says so.",
	.examples = "  clsecure set app Network=full\n"
		    "  clsecure set app AllowUsers+=bob MaxSessions=4\n",
	.min = 2,
	.max = -1,
	.operand = OPERAND_SETTING,
	.run = run,
};
