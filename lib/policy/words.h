/*
 * Texts of settings taken apart: words with quotes, numbers with units, forms of paths and names.
 */
#ifndef CLSECURE_WORDS_H
#define CLSECURE_WORDS_H

#include <stdint.h>

#include "lib/base/macros.h"

/* NULL-terminated, owned. */
void words_free(char **words);
static inline void words_freep(char ***words)
{
	words_free(*words);
}

/*
 * Blanks between; '…', "…" and backslash as in systemd.syntax(7), but that only blank, quotes and
 * backslash may be escaped.  0; -EINVAL: a quote that is not closed; -E2BIG: more than `max`.
 */
int words_split(const char *text, size_t max, char ***ret_words, size_t *ret_n);

/* Strict: digits, and a unit where it may have one; "infinity" is UINT64_MAX.  -EINVAL, -ERANGE. */
int parse_count(const char *text, uint64_t *ret);
int parse_size(const char *text, uint64_t *ret); /* K M G T: 1024, … */
int parse_time(const char *text, uint64_t *ret); /* s min h d w, "1h 30min" */
int parse_bool(const char *text, bool *ret);

void format_size(uint64_t size, char buf[static 32]);
void format_time(uint64_t seconds, char buf[static 32]);

/* No control characters, valid UTF-8, no marks that turn the direction of writing. */
bool text_valid(const char *text);

/*
 * What a file's line would not give back: outer blanks, a comment inside, a backslash at the end.
 */
bool text_fits_line(const char *text);

/*
 * Absolute (or ~, ~/… where `home`; or relative where `relative`), without "//", ".", ".." and "/"
 * at the end.
 */
bool path_normal(const char *path, bool home, bool relative);

/* Of two such, absolute: is `inner` the path `outer`, or below it? */
bool path_within(const char *inner, const char *outer);

/* A user's or group's or service's name, a variable's name (where `star`, with * at its end). */
bool name_valid(const char *name);
bool variable_valid(const char *name, bool star);

#endif
