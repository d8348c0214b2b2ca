/*
 * A reader of configuration files: [Section], Key=value, lines of comments that begin with # or ;.
 *
 * A parser of our own because what it does not understand it refuses, and cuts nothing: libinih 55
 * takes the tail of a long line as a key of its own, cuts values at " ;", and takes a line that
 * begins with a blank as one more value.
 */
#ifndef CLSECURE_INI_H
#define CLSECURE_INI_H

#include <stddef.h>

#include "lib/base/error.h"

#define INI_LINE_MAX 4096 /* bytes, without the newline */
#define INI_FILE_MAX (256 * 1024) /* bytes */

/*
 * section is "" before the first; key and value are NULL where a section begins.  Its words are
 * given the file and the line by ini_parse().
 */
typedef int (*ini_fn)(void *arg, const char *section, const char *key, const char *value,
	unsigned line, struct error *e);

/*
 * Calls fn for each section's head and each assignment, in order, until one fails.  `file` is for
 * the words only.  -EINVAL: not of the form; else what fn returned.  The words never quote a line.
 */
int ini_parse(const char *data, size_t size, const char *file, ini_fn fn, void *arg,
	struct error *e);

#endif
