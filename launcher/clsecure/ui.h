/* What a person sees: messages, questions, tables. */
#ifndef CLSECURE_UI_H
#define CLSECURE_UI_H

#include "launcher/clsecure/commands.h"

enum exit_status {
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_OURS = 125,
	STATUS_INTERRUPTED = 130
};

/* "clsecure: ..." on stderr, cleaned. */
void complain(const char *format, ...) _printf_(1, 2);

/* A second line that says what to do. */
void remedy(const char *format, ...) _printf_(1, 2);

/* complain(), and where to read more.  Returns STATUS_USAGE. */
int usage_error(const struct cli *c, const char *format, ...) _printf_(2, 3);

/* complain() with the error's words.  Returns the exit status of a failure of this command. */
int fail(const struct cli *c, const struct error *e);

/* On stdout, unless --quiet. */
void say(const struct cli *c, const char *format, ...) _printf_(2, 3);

/*
 * A question on the terminal (stdin and stderr both are one).  1: yes, or --yes; 0: no; -ENOTTY:
 * there is nobody to ask, which was said with the option that answers.
 */
int ask_yes(const struct cli *c, const char *format, ...) _printf_(2, 3);

/* A line typed by the person, without its end: 0, -ENOTTY, -ENODATA at the end of input. */
int ask_line(const char *question, char *buf, size_t size);

/*
 * A table on stdout, as wide as it needs, the last column cut to the terminal; through a pager only
 * when it is longer than the terminal.  cells: rows * columns strings, the head first; cleaned when
 * printed.
 */
void table_print(const struct cli *c, size_t columns, size_t rows, const char *const *cells);

/* Columns that text takes on a terminal. */
size_t text_width(const char *text);

#endif
