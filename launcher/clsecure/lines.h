/*
 * A configuration file as lines, and what setup may do with them: put in lines of its own, each
 * with the mark at its end, and take exactly those out again.  Everything else stays as it is, byte
 * for byte, a missing newline at the end included.  Pure: text in, text out.
 */
#ifndef CLSECURE_LINES_H
#define CLSECURE_LINES_H

#include "lib/base/macros.h"

#define LINES_MARK "# clsecure"
#define LINES_FILE_MAX (256 * 1024) /* a longer file is not understood */

struct lines {
	char **line; /* owned, without newlines */
	size_t n;
	bool open_end; /* the last line has no newline */
};

/* -EBADMSG for a NUL inside, -EFBIG past LINES_FILE_MAX. */
int lines_parse(const char *text, size_t size, struct lines *ret_lines);
void lines_done(struct lines *l);
int lines_text(const struct lines *l, char **ret_text);

/* Before line `at` (l->n: at the end); `line` is copied. */
int lines_insert(struct lines *l, size_t at, const char *line);
void lines_remove(struct lines *l, size_t at);

/* Does the line carry our mark at its end? */
bool line_is_ours(const char *line);
void lines_strip(struct lines *l);

/*
 * A unified diff with three lines of context, as diff -u makes it; either text may be NULL (no such
 * file).  "" when they are the same.
 */
int text_diff(const char *path, const char *old, const char *new, char **ret_diff);

#endif
