#include "config.h"
#include "launcher/clsecure/rows.h"

#include <inttypes.h>

static const char *const keys[] = {"project", "user", "owner", "path", "network", "workspace",
	"mode", "sessions", "size", NULL};
static const char *const numbers[] = {"sessions", "size", NULL};

static void print_json(const struct rows *r)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < r->n; i++)
		json_object_array_add(list, row_json(&r->row[i], keys, numbers));
	json_print("projects", list);
}

static int print_table(const struct cli *c, const struct rows *r)
{
	static const char *const head[] = {
		"PROJECT", "USER", "SESSIONS", "NETWORK", "WORKSPACE", "SIZE", "PATH"};
	static const char *const column[] = {
		"project", "user", "sessions", "network", "workspace", "size", "path"};
	size_t n = ELEMENTSOF(head);
	_cleanup_free_ const char **cells = calloc((r->n + 1) * n, sizeof(*cells));
	_cleanup_free_ char (*sizes)[16] = calloc(r->n + 1, sizeof(*sizes));

	if (!cells || !sizes)
		return STATUS_FAILED;
	for (size_t k = 0; k < n; k++)
		cells[k] = head[k];
	for (size_t i = 0; i < r->n; i++) {
		const char *size = rows_get(r, i, "size");

		size_text(strtoull(size, NULL, 10), sizes[i]);
		for (size_t k = 0; k < n; k++)
			cells[(i + 1) * n + k] = streq(column[k], "size") && *size ? sizes[i] :
				*rows_get(r, i, column[k]) ? rows_get(r, i, column[k]) : "-";
		if (*rows_get(r, i, "broken"))
			cells[(i + 1) * n + n - 1] = "(damaged: 'clsecure info' says how)";
	}
	table_print(c, n, r->n + 1, cells);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = request_new(c, "list", &q);

	if (err == 0)
		err = message_add(&q, "sizes", "1");
	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	if (err < 0)
		return answer_fail(c, &a);
	if (c->json)
		print_json(&r);
	else if (r.n == 0)
		say(c, "There are no projects. 'clsecure add PATH' makes one.");
	else
		return print_table(c, &r);
	return 0;
}

const struct command command_list = {
	.name = "list",
	.alias = "ls",
	.operands = "",
	.summary = "the projects that you may enter",
	.description = "Lists the projects that you may enter (root: all), with user, sessions,\n"
		       "network, workspace, what the home takes on disk, and path.",
	.examples = "  clsecure list\n"
		    "  clsecure list --json\n",
	.run = run,
};
