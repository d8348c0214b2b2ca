/* Reads what the sandbox says about itself (lib/sandbox/environment.h). */
#ifndef CLSECURE_SHELL_INSIDE_H
#define CLSECURE_SHELL_INSIDE_H

#include "lib/base/error.h"

struct inside {
	char *data; /* owned; entries, each ended by a NUL */
	size_t size;
	const char *project, *path, *shell; /* in data */
};

/*
 * Takes the file's content apart; `data` (size bytes) belongs to ret_inside afterwards, and is
 * freed by the caller on failure.  -EBADMSG: not of this form, or without project, path or shell.
 */
int inside_parse(char *data, size_t size, struct inside *ret_inside, struct error *e);

/*
 * INSIDE_FILE, only as root left it: regular, root's, nobody else's to write.  -ENOENT: not in a
 * sandbox.
 */
int inside_read(struct inside *ret_inside, struct error *e);

void inside_done(struct inside *in);

/* The entries one by one: NULL for the first, NULL after the last. */
const char *inside_next(const struct inside *in, const char *entry);

/* What follows `key` ("@path=") in the first entry that begins with it, or NULL. */
const char *inside_value(const struct inside *in, const char *key);

#endif
