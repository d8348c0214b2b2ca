#include "config.h"
#include "launcher/clsecure-shell/command.h"
#include "lib/sandbox/environment.h"

#include <errno.h>

/* One cluster of letters, as in "-lc"; true when the option takes the next word. */
static bool cluster(const char *letters, struct command *c)
{
	for (const char *s = letters; *s; s++)
		switch (*s) {
		case 'c':
			c->command = true;
			break;
		case 'i':
			c->interactive = true;
			break;
		case 'l':
			c->login = true;
			break;
		case 'o':
		case 'O':
			return true;
		}
	return false;
}

struct command command_parse(int argc, char *const *argv)
{
	struct command c = {.login = argc > 0 && argv[0][0] == '-'};

	if (argc > 2 && streq(argv[1], WORDS_OPTION))
		return (struct command){.command = true, .words = argv + 2};
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (streq(a, "--login")) {
			c.login = true;
		} else if (streq(a, "--") || streq(a, "-")) {
			c.command = c.command || i + 1 < argc;
			break;
		} else if (a[0] == '-' && a[1] == '-') {
			if (streq(a, "--rcfile") || streq(a, "--init-file"))
				i++;
		} else if (a[0] == '-' || a[0] == '+') {
			if (cluster(a + 1, &c))
				i++;
			/* What follows the string of -c is the string's own. */
			if (c.command)
				break;
		} else {
			c.command = true;
			break;
		}
	}
	return c;
}

int command_argv(const char *shell, int argc, char *const *argv, char ***ret_argv)
{
	const char *slash = strrchr(shell, '/'), *base = slash ? slash + 1 : shell;
	_cleanup_free_ char **v = calloc((size_t)(argc > 0 ? argc : 1) + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	if (asprintf(&v[0], "%s%s", argc > 0 && argv[0][0] == '-' ? "-" : "", base) < 0)
		return -ENOMEM;
	for (int i = 1; i < argc; i++)
		v[i] = argv[i];
	*ret_argv = TAKE_PTR(v);
	return 0;
}
