/* Which right word did somebody mean? */
#ifndef CLSECURE_NEAREST_H
#define CLSECURE_NEAREST_H

#include "lib/base/macros.h"

/*
 * Edits that make b of a, whatever the case: a character more, less or other, or two neighbours
 * exchanged.  Of longer words the first 64 bytes are compared.
 */
size_t word_distance(const char *a, const char *b);

struct nearest {
	const char *typed;
	const char *found; /* of those that were tried, or NULL */
	size_t distance; /* of found */
};

/* Takes word (NULL: none) when it is nearer than what was found. */
void nearest_try(struct nearest *n, const char *word);

/* What was found, if it is likely: typed is a slip of it, or its first two or more characters. */
const char *nearest_likely(const struct nearest *n);

#endif
