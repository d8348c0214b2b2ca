/* sessions, kill */
#include "config.h"
#include "launcher/clsecure/rows.h"
#include "launcher/clsecure/words.h"

static void print_json(const struct rows *r)
{
	static const char *const keys[] = {
		"session", "project", "door", "from", "who", "tty", "since", "pid", NULL};
	static const char *const numbers[] = {"since", "pid", NULL};
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < r->n; i++)
		json_object_array_add(list, row_json(&r->row[i], keys, numbers));
	json_print("sessions", list);
}

static const char *cell_since(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	time_text(strtoull(rows_get(r, i, "since"), NULL, 10), buf);
	return buf;
}

static const struct column columns[] = {
	{"SESSION", "session", NULL},
	{"DOOR", "door", NULL},
	{"WHO", "who", NULL},
	{"FROM", "from", NULL},
	{"SINCE", NULL, cell_since},
};

static int run_sessions(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = request_new(c, "sessions", &q);

	if (err == 0 && argc > 0)
		err = word_add(&q, argv[0], &a.error);
	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	if (err < 0)
		return answer_fail(c, &a);
	if (c->json)
		print_json(&r);
	else if (r.n > 0)
		return rows_print(c, &r, columns, ELEMENTSOF(columns));
	else
		say(c, "No session is open.");
	return 0;
}

/* PROJECT:N */
static int run_kill(struct cli *c, int argc, char **argv)
{
	_cleanup_message_ struct message q = {0};
	char *colon = strchr(argv[0], ':');
	struct answer a = {0};
	int err = request_new(c, "kill", &q);

	if (colon && !word_is_path(argv[0])) {
		*colon = '\0';
		err = err ?: message_add(&q, "session", colon + 1);
	}
	if (err == 0)
		err = word_add(&q, argv[0], &a.error);
	if (err == 0)
		err = ask(c, &q, NULL, NULL, &a);
	return err < 0 ? answer_fail(c, &a) : 0;
}

const struct command command_sessions = {
	.name = "sessions",
	.operands = "[PROJECT|PATH]",
	.summary = "open sessions",
	.description = "Lists open sessions: PROJECT:N, the door that they came by, who (sshd\n"
		       "does not tell), from where, since when.",
	.examples = "  clsecure sessions\n"
		    "  clsecure sessions app --json\n",
	.max = 1,
	.operand = OPERAND_EITHER,
	.flags = COMMAND_JSON,
	.run = run_sessions,
};

const struct command command_kill = {
	.name = "kill",
	.alias = "terminate",
	.operands = "PROJECT|SESSION",
	.summary = "end a session, or all of a project",
	.description = "Ends session PROJECT:N, or every session of PROJECT and whatever runs in\n"
		       "its sandbox.",
	.examples = "  clsecure kill app:3\n"
		    "  clsecure kill app\n",
	.min = 1,
	.max = 1,
	.operand = OPERAND_PROJECT,
	.run = run_kill,
};
