/* approvals: the names that connections wait for (Ask=yes), and the person's answers. */
#include "config.h"
#include "launcher/clsecure/net.h"
#include "launcher/clsecure/words.h"

#include <errno.h>
#include <unistd.h>

static bool waits(const struct rows *r, size_t i)
{
	return streq(rows_get(r, i, "verdict"), "waits");
}

static int refuse(const struct cli *c, const char *word, const char *name, const char *port)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "refuse")
		?: message_add(&q, "name", name) ?: message_add(&q, "port", port);

	if (err == 0)
		err = word_add(&q, word, &a.error);
	if (err == 0)
		err = ask(c, &q, NULL, NULL, &a);
	return err < 0 ? answer_fail(c, &a) : 0;
}

/* 0, or the exit status. */
static int answer_one(const struct cli *c, const char *word, const char *name, const char *port)
{
	_cleanup_free_ char *rule = net_rule(name, port);
	int answer;

	if (!rule)
		return STATUS_FAILED;
	answer = ask_yes(c, "%s:%s is new. Allow it?", name, port);
	if (answer < 0)
		return STATUS_FAILED;
	return answer ? net_allow(c, word, &rule, 1) : refuse(c, word, name, port);
}

static int answer_each(const struct cli *c, const char *word, const struct rows *r)
{
	int status = 0;

	for (size_t i = 0; status == 0 && i + 1 < r->n; i++)
		if (waits(r, i))
			status = answer_one(c, word, rows_get(r, i, "name"), rows_get(r, i, "port"));
	return status;
}

static int follow(const struct cli *c, const char *word)
{
	int status = 0;

	if (!c->yes && (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))) {
		complain("there is no terminal to ask on");
		remedy("'clsecure approvals' lists what waits; 'clsecure allow' answers yes.");
		return STATUS_FAILED;
	}
	while (status == 0) {
		_cleanup_(rows_done) struct rows r = {0};

		status = net_ask(c, word, "0", &r);
		if (status == 0)
			status = answer_each(c, word, &r);
		sleep(1);
	}
	return status;
}

static int list(const struct cli *c, const struct rows *r)
{
	static const char *const keys[] = {"name", "port", "open", "last", NULL};
	static const char *const numbers[] = {"port", "open", "last", NULL};
	json_object *all = c->json ? json_object_new_array() : NULL;

	for (size_t i = 0; i + 1 < r->n; i++) {
		if (!waits(r, i))
			continue;
		if (c->json)
			json_object_array_add(all, row_json(&r->row[i], keys, numbers));
		else
			printf("%s:%s\n", rows_get(r, i, "name"), rows_get(r, i, "port"));
	}
	if (c->json)
		json_print("approvals", all);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	const char *word = argc > 0 ? argv[0] : NULL;
	int status;

	if (cli_option(c, "follow"))
		return follow(c, word);
	status = net_ask(c, word, "0", &r);
	return status == 0 ? list(c, &r) : status;
}

static const struct option_info options[] = {
	{'f', "follow", OPTION_FLAG, NULL, NULL, "ask about each, and go on"},
	{0},
};

const struct command command_approvals = {
	.name = "approvals",
	.operands = "[PROJECT|PATH]",
	.summary = "new names that wait for a yes",
	.description = "With Ask=yes a connection to a new name waits, for a minute at most. This\n"
		       "lists them; with -f it asks about each: yes adds the name to AllowDomains=,\n"
		       "no refuses it.",
	.examples = "  clsecure approvals app\n"
		    "  clsecure approvals -f app\n",
	.options = options,
	.max = 1,
	.operand = OPERAND_EITHER,
	.flags = COMMAND_JSON,
	.run = run,
};
