#include "config.h"
#include "launcher/clsecure/rows.h"
#include "launcher/clsecure/words.h"

static const char *const head_keys[] = {
	"project", "user", "owner", "path", "mode", "network", "workspace", NULL};

static void print_json(const struct rows *r)
{
	static const char *const keys[] = {"section", "key", "value", "source", NULL};
	json_object *o = row_json(&r->row[0], head_keys, NULL), *list = json_object_new_array();

	for (size_t i = 1; i < r->n; i++)
		json_object_array_add(list, row_json(&r->row[i], keys, NULL));
	json_object_object_add(o, "settings", list);
	json_print("info", o);
}

/* What the mode isolates, in the words of a person. */
static void print_walls(const struct rows *r)
{
	bool none = streq(rows_get(r, 0, "network"), "none");

	printf("Isolated: the host's files but the project and what is bound read-only; processes; "
	       "users'\n"
	       "sessions and sockets; devices; capabilities; system calls. Network: %s.\n\n",
		none ? "none but loopback" : rows_get(r, 0, "network"));
}

static int print_table(const struct cli *c, const struct rows *r)
{
	size_t n = 3;
	_cleanup_free_ const char **cells = calloc(r->n * n, sizeof(*cells));
	_cleanup_free_ char *names = calloc(r->n, 64);
	static const char *const head[] = {"SETTING", "FROM", "VALUE"};

	if (!cells || !names)
		return STATUS_FAILED;
	printf("Project %s: %s, user %s, of %s\n", rows_get(r, 0, "project"),
		rows_get(r, 0, "path"), rows_get(r, 0, "user"), rows_get(r, 0, "owner"));
	if (!c->quiet)
		print_walls(r);
	for (size_t k = 0; k < n; k++)
		cells[k] = head[k];
	for (size_t i = 1; i < r->n; i++) {
		snprintf(names + 64 * i, 64, "[%s] %s", rows_get(r, i, "section"),
			rows_get(r, i, "key"));
		cells[i * n] = names + 64 * i;
		cells[i * n + 1] = rows_get(r, i, "source");
		cells[i * n + 2] = rows_get(r, i, "value");
	}
	table_print(c, n, r->n, cells);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = request_new(c, "info", &q);

	if (err == 0)
		err = word_add(&q, argc > 0 ? argv[0] : NULL, &a.error);
	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	if (err < 0 || r.n == 0)
		return answer_fail(c, &a);
	if (c->json) {
		print_json(&r);
		return 0;
	}
	return print_table(c, &r);
}

const struct command command_info = {
	.name = "info",
	.operands = "[PROJECT|PATH]",
	.summary = "the settings of a project, and where each comes from",
	.description = "Shows the effective policy of a project: each setting with its value,\n"
		       "and the file and line, or the option, that it comes from.",
	.examples = "  clsecure info\n"
		    "  clsecure info app --allow-network\n",
	.options = session_options,
	.max = 1,
	.operand = OPERAND_EITHER,
	.flags = COMMAND_JSON,
	.run = run,
};
