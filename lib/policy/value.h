/*
 * The value of a setting: read from text, strictly, and written in one canonical form.
 *
 * Reading what was written gives the same value.  Every text that a value takes is valid UTF-8
 * without control characters, and fits one line of a file.
 */
#ifndef CLSECURE_VALUE_H
#define CLSECURE_VALUE_H

#include <stdint.h>

#include "lib/policy/settings.h"

#define VALUE_TEXT_MAX 4000 /* bytes of one assignment's text */
#define VALUE_LIST_MAX 1000 /* items of a list */

struct value {
	uint64_t number; /* of a list: how many */
	/* canonical; of TYPE_PATH without quotes; owned, never NULL in a value that was read */
	char *text;
	char **list; /* NULL-terminated when not NULL; owned */
	size_t n;
};

void value_done(struct value *v);
int value_copy(const struct value *v, struct value *ret_value);
bool value_equal(const struct value *a, const struct value *b);

bool setting_is_list(enum setting s);
bool setting_is_number(enum setting s);

/* Limits: of which more is looser.  What the admin says is the most that an owner gets. */
bool setting_is_limit(enum setting s);

/* A number that is higher; a list that has an item which the other has not. */
bool value_exceeds(enum setting s, const struct value *v, const struct value *limit);

/*
 * -EINVAL with the key and what was wanted; -EOPNOTSUPP: "not in this version".  `text` is one
 * assignment: a list's items have blanks between them.
 */
int value_parse(enum setting s, const char *text, struct value *ret_value, struct error *e);

/* The built-in default, which is right by a unit test, or -ENOMEM. */
int value_builtin(enum setting s, struct value *ret_value);

/* Lists: what is in `more` and not yet in v is added; what is in `less` is taken away. */
int value_add(enum setting s, struct value *v, const struct value *more);
int value_remove(enum setting s, struct value *v, const struct value *less);
bool value_has(const struct value *v, const char *item);

/*
 * *v becomes the tighter of *v and `wanted` where one is; true when `wanted` asked for something
 * looser, which it did not get.
 */
int value_tighten(enum setting s, struct value *v, const struct value *wanted, bool *ret_refused);

/* A word as value_parse() takes it back: quoted where it must be.  Owned. */
char *word_quote(const char *word);

/* SOURCE[:DESTINATION] taken apart in new memory; destination is NULL when there is none. */
int bind_split(const char *item, char **ret_source, char **ret_destination);

/* Neither on, above nor below /, /etc, /usr, ….  `path` is absolute and normal. */
bool destination_allowed(const char *path);

#endif
