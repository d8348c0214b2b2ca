/* net: what a sandbox's network reached and refused, and why. */
#include "config.h"
#include "launcher/clsecure/net.h"
#include "launcher/clsecure/words.h"

#include <errno.h>
#include <unistd.h>

static const char *const keys[] = {"name", "port", "verdict", "reason", "rule", "detail", "count",
	"open", "sent", "received", "first", "last", NULL};
static const char *const numbers[] = {
	"port", "count", "open", "sent", "received", "first", "last", NULL};

int net_ask(const struct cli *c, const char *word, const char *from, struct rows *ret_rows)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "net") ?: message_add(&q, "from", from);

	if (err == 0)
		err = word_add(&q, word, &a.error);
	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	if (err == 0 && (r.n == 0 || !*rows_get(&r, r.n - 1, "next")))
		err = error_set(&a.error, -EPROTO, "clsecured did not answer to the end");
	if (err < 0)
		return answer_fail(c, &a);
	*ret_rows = r;
	r = (struct rows){0};
	return 0;
}

static const char *cell_last(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	time_text(strtoull(rows_get(r, i, "last"), NULL, 10), buf);
	return buf;
}

/* Of a name that was only looked up there is none. */
static const char *cell_port(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	const char *port = rows_get(r, i, "port");

	return streq(port, "0") ? "" : port;
}

static const char *bytes(const struct rows *r, size_t i, const char *key, char *buf)
{
	size_text(strtoull(rows_get(r, i, key), NULL, 10), buf);
	return buf;
}

static const char *cell_sent(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	return bytes(r, i, "sent", buf);
}

static const char *cell_received(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	return bytes(r, i, "received", buf);
}

static const char *cell_why(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	return streq(rows_get(r, i, "verdict"), "reached") && *rows_get(r, i, "rule")
		? rows_get(r, i, "rule")
		: rows_get(r, i, "reason");
}

/* What a reason leaves open: the rule that denied it, the address it had. */
static const char *cell_detail(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	const char *detail = rows_get(r, i, "detail"), *why = cell_why(r, i, buf);

	if (*detail)
		return detail;
	return why == rows_get(r, i, "rule") ? "" : rows_get(r, i, "rule");
}

static const struct column columns[] = {
	{"LAST", NULL, cell_last},
	{"NETWORK", "verdict", NULL},
	{"NAME", "name", NULL},
	{"PORT", NULL, cell_port},
	{"TIMES", "count", NULL},
	{"SENT", NULL, cell_sent},
	{"RECEIVED", NULL, cell_received},
	{"WHY", NULL, cell_why},
	{"DETAIL", NULL, cell_detail},
};

static int print_table(struct cli *c, struct rows *r)
{
	size_t all = r->n;
	int status;

	r->n = all - 1;
	status = r->n > 0 ? rows_print(c, r, columns, ELEMENTSOF(columns)) : 0;
	r->n = all;
	return status;
}

static void print_json(const struct rows *r)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i + 1 < r->n; i++)
		json_object_array_add(list, row_json(&r->row[i], keys, numbers));
	json_print("net", list);
}

/* One line for each change: they come one by one. */
static void print_changes(const struct cli *c, const struct rows *r)
{
	for (size_t i = 0; i + 1 < r->n; i++) {
		char last[ROWS_TEXT], sent[ROWS_TEXT], received[ROWS_TEXT], why[ROWS_TEXT];
		const char *port = rows_get(r, i, "port");

		if (c->json) {
			json_object *o = row_json(&r->row[i], keys, numbers);

			puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
			json_object_put(o);
			continue;
		}
		printf("%s %-7s %s%s%s  %s sent, %s received  %s%s%s\n",
			cell_last(r, i, last), rows_get(r, i, "verdict"), rows_get(r, i, "name"),
			streq(port, "0") ? "" : ":", streq(port, "0") ? "" : port,
			cell_sent(r, i, sent), cell_received(r, i, received), cell_why(r, i, why),
			*cell_detail(r, i, why) ? ": " : "", cell_detail(r, i, why));
	}
	fflush(stdout);
}

static int follow(const struct cli *c, const char *word, const char *from)
{
	_cleanup_free_ char *next = strdup(from);

	while (next && !ferror(stdout)) {
		_cleanup_(rows_done) struct rows r = {0};
		int status = net_ask(c, word, next, &r);

		if (status != 0)
			return status;
		print_changes(c, &r);
		free(next);
		next = strdup(rows_get(&r, r.n - 1, "next"));
		sleep(1);
	}
	return STATUS_FAILED;
}

static void tell_none(const struct cli *c, const struct rows *r)
{
	const char *network = rows_get(r, r->n - 1, "network");

	if (!streq(network, "filtered"))
		say(c,
			"Network=%s: what it reaches is not recorded. 'clsecure set %s "
			"Network=filtered' begins it.",
			network, rows_get(r, r->n - 1, "project"));
	else
		say(c, "Nothing was reached or refused yet.");
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	const char *word = argc > 0 ? argv[0] : NULL;
	int status;

	if (cli_option(c, "follow"))
		return follow(c, word, "0");
	status = net_ask(c, word, "0", &r);
	if (status != 0)
		return status;
	if (c->json)
		print_json(&r);
	else if (r.n == 1)
		tell_none(c, &r);
	else
		return print_table(c, &r);
	return 0;
}

static const struct option_info options[] = {
	{'f', "follow", OPTION_FLAG, NULL, NULL, "go on: a line for whatever changes"},
	{0},
};

const struct command command_net = {
	.name = "net",
	.operands = "[PROJECT|PATH]",
	.summary = "what the network reached and refused",
	.description = "Lists the names that a filtered network (Network=filtered) reached and\n"
		       "refused, in this sandbox and those before: how often, how many bytes, and\n"
		       "by which rule. 'clsecure allow' makes a refused name an allowed one.",
	.examples = "  clsecure net app\n"
		    "  clsecure net -f app\n"
		    "  clsecure net app --json\n",
	.options = options,
	.max = 1,
	.operand = OPERAND_EITHER,
	.flags = COMMAND_JSON,
	.run = run,
};
