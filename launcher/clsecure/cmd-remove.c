/* remove, cleanup, cleanup-all: a project's user, home and state go; its files never do. */
#include "config.h"
#include "launcher/clsecure/rows.h"
#include "launcher/clsecure/words.h"

#include <errno.h>

/* 0, or the exit status. */
static int remove_one(const struct cli *c, const char *word)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "remove");

	if (err == 0)
		err = word_add(&q, word, &a.error);
	if (err == 0)
		err = ask(c, &q, NULL, NULL, &a);
	if (err < 0)
		return answer_fail(c, &a);
	say(c, "Removed %s.", word);
	return 0;
}

static int count_sessions(const struct cli *c, const char *word, size_t *ret_n)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "sessions");

	if (err == 0)
		err = word_add(&q, word, &a.error);
	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	/* Root may remove what can no longer be read. */
	if (err < 0 && (err == -ENOENT || err == -EACCES || err == -EINVAL || err == -ECONNREFUSED))
		return answer_fail(c, &a);
	*ret_n = r.n;
	return 0;
}

static int ask_and_remove(const struct cli *c, const char *word)
{
	size_t n = 0;
	int status = count_sessions(c, word, &n), answer;

	if (status != 0)
		return status;
	answer = n > 0 ? ask_yes(c,
				 "End %zu session%s and remove '%s' with its user and home (not "
				 "its files)?",
				 n, n == 1 ? "" : "s", word)
		       : ask_yes(c, "Remove '%s' with its user and home (not its files)?", word);
	return answer > 0 ? remove_one(c, word) : STATUS_FAILED;
}

static int run_remove(struct cli *c, int argc, char **argv)
{
	int status = 0;

	for (int i = 0; i < argc; i++)
		status = ask_and_remove(c, argv[i]) ?: status;
	return status;
}

/* The projects that this person can remove. */
static int own_projects(const struct cli *c, struct rows *r)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "list");

	if (err == 0)
		err = message_add(&q, "own", "1");
	if (err == 0)
		err = ask(c, &q, rows_take, r, &a);
	return err < 0 ? answer_fail(c, &a) : 0;
}

static int choose(const struct cli *c, const struct rows *r, const char **ret_slug)
{
	char line[32], *end;
	unsigned long k;
	int err;

	if (r->n == 0) {
		say(c, "There are no projects of yours.");
		return 0;
	}
	for (size_t i = 0; i < r->n; i++)
		fprintf(stderr, "%3zu  %-17s  %s\n", i + 1, rows_get(r, i, "project"),
			rows_get(r, i, "path"));
	err = ask_line("Remove which one (number, or nothing)? ", line, sizeof(line));
	if (err == -ENOTTY) {
		complain("choose a project to remove: there is no terminal to ask on");
		remedy("'clsecure cleanup PROJECT --yes' needs none.");
		return STATUS_FAILED;
	}
	if (err < 0 || !*line)
		return 0;
	k = strtoul(line, &end, 10);
	if (*end || k == 0 || k > r->n) {
		complain("'%s' is none of these numbers", line);
		return STATUS_USAGE;
	}
	*ret_slug = rows_get(r, k - 1, "project");
	return 0;
}

static int run_cleanup(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	const char *slug = NULL;
	int status;

	if (argc > 0)
		return ask_and_remove(c, argv[0]);
	status = own_projects(c, &r);
	if (status == 0)
		status = choose(c, &r, &slug);
	return status != 0 || !slug ? status : ask_and_remove(c, slug);
}

static int confirm_all(const struct cli *c, size_t n)
{
	char question[128], line[32];
	int err;

	if (c->yes)
		return 0;
	snprintf(question, sizeof(question),
		"This removes %zu project%s. Type DELETE ALL to go on: ", n, n == 1 ? "" : "s");
	err = ask_line(question, line, sizeof(line));
	if (err == -ENOTTY) {
		complain("remove %zu project%s: there is no terminal to ask on", n,
			n == 1 ? "" : "s");
		remedy("--yes stands for DELETE ALL.");
	}
	return err < 0 || !streq(line, "DELETE ALL") ? STATUS_FAILED : 0;
}

static int run_cleanup_all(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	int status = own_projects(c, &r);

	if (status != 0)
		return status;
	if (r.n == 0) {
		say(c, "There are no projects of yours.");
		return 0;
	}
	for (size_t i = 0; i < r.n && !c->quiet; i++)
		fprintf(stderr, "  %-17s  %s\n", rows_get(&r, i, "project"),
			rows_get(&r, i, "path"));
	status = confirm_all(c, r.n);
	if (status != 0)
		return status;
	for (size_t i = 0; i < r.n; i++)
		status = remove_one(c, rows_get(&r, i, "project")) ?: status;
	return status;
}

const struct command command_remove = {
	.name = "remove",
	.alias = "rm",
	.operands = "PROJECT...",
	.summary = "remove projects: user, home and state, never the files",
	.description = "Ends the sessions of PROJECT and removes its user, its home and its\n"
		       "state.  The project's own files stay as they are.  Asks first, unless\n"
		       "--yes.",
	.examples = "  clsecure remove app\n"
		    "  clsecure rm --yes app lib\n",
	.min = 1,
	.max = -1,
	.operand = OPERAND_PROJECT,
	.run = run_remove,
};

const struct command command_cleanup = {
	.name = "cleanup",
	.operands = "[PROJECT]",
	.summary = "remove a project that you choose from a list",
	.description = "As remove; without PROJECT it shows your projects and asks which.",
	.examples = "  clsecure cleanup\n"
		    "  clsecure cleanup app\n",
	.max = 1,
	.operand = OPERAND_PROJECT,
	.run = run_cleanup,
};

const struct command command_cleanup_all = {
	.name = "cleanup-all",
	.operands = "",
	.summary = "remove all your projects",
	.description = "As remove, for every project that is yours (root: for all).  DELETE ALL\n"
		       "is to be typed, unless --yes.",
	.examples = "  clsecure cleanup-all\n",
	.run = run_cleanup_all,
};
