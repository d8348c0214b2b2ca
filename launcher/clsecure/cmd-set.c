#include "config.h"
#include "launcher/clsecure/words.h"

static int take(void *arg, const struct message *m)
{
	*(unsigned long *)arg = strtoul(message_get(m, "waits") ?: "0", NULL, 10);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	unsigned long waits = 0;
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
		err = ask(c, &q, take, &waits, &a);
	if (err < 0)
		return answer_fail(c, &a);
	if (waits > 0)
		say(c,
			"%lu of the changed settings wait%s for the next sandbox of '%s': end its "
			"sessions to have them.",
			waits, waits == 1 ? "s" : "", argv[0]);
	return 0;
}

const struct command command_set = {
	.name = "set",
	.operands = "PROJECT KEY=VALUE...",
	.summary = "change settings of a project",
	.description = "KEY=VALUE sets, KEY+=VALUE adds to a list, KEY-=VALUE takes from it,\n"
		       "KEY= goes back to the default. All are checked before any is changed.\n"
		       "clsecure.conf(5) has the settings.",
	.examples = "  clsecure set app Network=full\n"
		    "  clsecure set app AllowUsers+=bob MaxSessions=4\n",
	.min = 2,
	.max = -1,
	.operand = OPERAND_SETTING,
	.run = run,
};
