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

static const char *cell_size(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	const char *size = rows_get(r, i, "size");

	if (!*size)
		return size;
	size_text(strtoull(size, NULL, 10), buf);
	return buf;
}

static const char *cell_path(const struct rows *r, size_t i, char buf[static ROWS_TEXT])
{
	return *rows_get(r, i, "broken") ? "(damaged: 'clsecure info' says how)"
					 : rows_get(r, i, "path");
}

static const struct column columns[] = {
	{"PROJECT", "project", NULL},
	{"USER", "user", NULL},
	{"OWNER", "owner", NULL},
	{"SESSIONS", "sessions", NULL},
	{"NETWORK", "network", NULL},
	{"WORKSPACE", "workspace", NULL},
	{"SIZE", NULL, cell_size},
	{"PATH", NULL, cell_path},
};

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
		return rows_print(c, &r, columns, ELEMENTSOF(columns));
	return 0;
}

const struct command command_list = {
	.name = "list",
	.alias = "ls",
	.operands = "",
	.summary = "the projects that you may enter",
	.description = "Lists the projects that you may enter (root: all), with user, owner,\n"
		       "sessions, network, workspace, what the home takes on disk, and path.",
	.examples = "  clsecure list\n"
		    "  clsecure list --json\n",
	.flags = COMMAND_JSON,
	.run = run,
};
