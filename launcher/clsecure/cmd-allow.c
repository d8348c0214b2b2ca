/* allow: adds to AllowDomains=, by name or from what was refused. */
#include "config.h"
#include "launcher/clsecure/net.h"
#include "launcher/clsecure/words.h"

#include <errno.h>

/* Each once; owned by the list, which owns its strings. */
struct names {
	char **list;
	size_t n;
};

static void names_done(struct names *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->list[i]);
	free(all->list);
}

char *net_rule(const char *name, const char *port)
{
	bool usual = streq(port, "0") || streq(port, "80") || streq(port, "443");
	const char *open = strchr(name, ':') ? "[" : "", *close = *open ? "]" : "";
	char *rule;

	if (asprintf(&rule, "%s%s%s%s%s", open, name, close, usual ? "" : ":", usual ? "" : port) <
		0)
		return NULL;
	return rule;
}

static int names_add(struct names *all, const char *name, const char *port)
{
	_cleanup_free_ char *rule = net_rule(name, port);
	char **list;

	if (!rule)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++)
		if (streq(all->list[i], rule))
			return 0;
	list = reallocarray(all->list, all->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	all->list = list;
	all->list[all->n++] = TAKE_PTR(rule);
	return 0;
}

int net_allow(const struct cli *c, const char *word, char *const *rules, size_t n)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "set");

	if (err == 0)
		err = word_add(&q, word, &a.error);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = message_addf(&q, "setting", "AllowDomains+=%s", rules[i]);
	if (err < 0 && !a.error.code)
		error_errno(&a.error, err, "allow names");
	if (err == 0)
		err = ask(c, &q, NULL, NULL, &a);
	return err < 0 ? answer_fail(c, &a) : 0;
}

/* Names that are there to be allowed, and were not. */
static int find_refused(const struct rows *r, struct names *all)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i + 1 < r->n; i++)
		if (streq(rows_get(r, i, "allowable"), "1") && *rows_get(r, i, "name"))
			err = names_add(all, rows_get(r, i, "name"), rows_get(r, i, "port"));
	return err;
}

static int offer(struct cli *c, const char *word)
{
	_cleanup_(names_done) struct names all = {0};
	_cleanup_(rows_done) struct rows r = {0};
	int status = net_ask(c, word, "0", &r), answer;

	if (status != 0)
		return status;
	if (find_refused(&r, &all) < 0)
		return STATUS_FAILED;
	if (all.n == 0) {
		say(c, "No name was refused that a rule could allow.");
		return 0;
	}
	for (size_t i = 0; i < all.n; i++)
		printf("%s\n", all.list[i]);
	fflush(stdout);
	answer = ask_yes(c, "Allow %s?", all.n == 1 ? "this name" : "all of these names");
	return answer > 0 ? net_allow(c, word, all.list, all.n) : STATUS_FAILED;
}

static int run(struct cli *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strpbrk(argv[i], " =\"'\\"))
			return usage_error(c, "'%s' is no name", argv[i]);
	return argc > 1 ? net_allow(c, argv[0], argv + 1, (size_t)argc - 1) : offer(c, argv[0]);
}

const struct command command_allow = {
	.name = "allow",
	.operands = "PROJECT [NAME...]",
	.summary = "let a filtered network reach names",
	.description = "Adds each NAME (as clsecure.conf(5) has them: example.com, example.com:22,\n"
		       "*.example.com, @SET) to AllowDomains=; it counts at once. Without one it\n"
		       "shows what was refused for want of a rule, or learned (Learn=yes), and asks\n"
		       "whether to allow it all.",
	.examples = "  clsecure allow app pypi.org files.pythonhosted.org\n"
		    "  clsecure allow app\n",
	.min = 1,
	.max = -1,
	.operand = OPERAND_NAME,
	.run = run,
};
