/* Rows of answers, kept: for tables, for JSON, for questions. */
#ifndef CLSECURE_ROWS_H
#define CLSECURE_ROWS_H

#include <json-c/json.h>

#include "launcher/clsecure/ask.h"

#define ROWS_TEXT 24

struct rows {
	struct message *row; /* owned */
	size_t n;
};
void rows_done(struct rows *r);

/* A row_fn whose argument is a struct rows. */
int rows_take(void *arg, const struct message *m);

/* The value in a row, or "". */
const char *rows_get(const struct rows *r, size_t i, const char *key);

/* A column of a table: what a cell says is the row's value, or what `text` makes of it. */
struct column {
	const char *head, *key;
	const char *(*text)(const struct rows *r, size_t i, char buf[static ROWS_TEXT]);
};

/* Prints the rows as a table; an empty cell is "-".  An exit status. */
int rows_print(const struct cli *c, const struct rows *r, const struct column *columns, size_t n);

/* {key: value...} of a row; the named keys are numbers (a value that is missing is null). */
json_object *row_json(const struct message *m, const char *const *keys, const char *const *numbers);

/* Prints {"version": 1, name: value}; takes the value. */
void json_print(const char *name, json_object *value);

/* Prints {"version": 1, key: value...}; keys NULL-terminated. */
void json_print_object(const char *const *keys, const char *const *values);

/* "1.5M" */
void size_text(uint64_t bytes, char buf[static 16]);

/* "12:03", or "2 Mar 12:03" when it is not of today. */
void time_text(uint64_t seconds, char buf[static 24]);

#endif
