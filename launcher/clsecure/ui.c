#include "config.h"
#include "launcher/clsecure/ui.h"

#include <errno.h>
#include <stdarg.h>

static _printf_(3, 0) void print_line(FILE *f, const char *prefix, const char *format, va_list ap)
{
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, format, ap) < 0)
		return;
	text_clean(text);
	fprintf(f, "%s%s\n", prefix, text);
}

void complain(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, format);
	print_line(stderr, "clsecure: ", format, ap);
	va_end(ap);
}

void remedy(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	print_line(stderr, "  ", format, ap);
	va_end(ap);
}

int usage_error(const struct cli *c, const char *format, ...)
{
	bool sub = c->command != &command_run;
	va_list ap;

	va_start(ap, format);
	print_line(stderr, "clsecure: ", format, ap);
	va_end(ap);
	remedy("'clsecure %s%s--help' shows what there is.", sub ? c->command->name : "",
		sub ? " " : "");
	return STATUS_USAGE;
}

int fail(const struct cli *c, const struct error *e)
{
	complain("%s", e->text);
	/* What was typed is wrong, or names what is not built. */
	if (e->code == -EINVAL || e->code == -EOPNOTSUPP)
		return STATUS_USAGE;
	return c->command->flags & COMMAND_OPENS ? STATUS_OURS : STATUS_FAILED;
}

void say(const struct cli *c, const char *format, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	va_start(ap, format);
	print_line(stdout, "", format, ap);
	va_end(ap);
}

int ask_line(const char *question, char *buf, size_t size)
{
	size_t n;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return -ENOTTY;
	fflush(stdout);
	fprintf(stderr, "%s", question);
	fflush(stderr);
	if (!fgets(buf, (int)size, stdin)) {
		fputc('\n', stderr);
		return -ENODATA;
	}
	n = strcspn(buf, "\n");
	buf[n] = '\0';
	return 0;
}

int ask_yes(const struct cli *c, const char *format, ...)
{
	_cleanup_free_ char *text = NULL, *question = NULL;
	char answer[16];
	va_list ap;
	int n;

	if (c->yes)
		return 1;
	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	text_clean(text);
	if (asprintf(&question, "%s [y/N] ", text) < 0)
		return -ENOMEM;
	n = ask_line(question, answer, sizeof(answer));
	if (n == -ENOTTY) {
		complain("there is no terminal to ask on: %s", text);
		remedy("--yes answers yes.");
		return n;
	}
	return n == 0 && (streq(answer, "y") || streq(answer, "Y") || streq(answer, "yes"));
}
