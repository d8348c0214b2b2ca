#include "config.h"
#include "lib/base/nearest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define WORD_LONGEST 64 /* what is compared of a word that somebody typed */

typedef size_t distances[WORD_LONGEST + 1]; /* of a beginning of a to each of b's */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* The distances of a's first i characters, from those of one and of two less. */
static void next_row(const char *a, size_t i, const char *b, size_t nb, distances row,
	const distances one, const distances two)
{
	row[0] = i;
	for (size_t j = 1; j <= nb; j++) {
		row[j] = least(least(one[j], row[j - 1]) + 1,
			one[j - 1] + !same(a[i - 1], b[j - 1]));
		if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
			row[j] = least(row[j], two[j - 2] + 1);
	}
}

size_t word_distance(const char *a, const char *b)
{
	size_t na = strnlen(a, WORD_LONGEST), nb = strnlen(b, WORD_LONGEST);
	distances rows[3];

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++)
		next_row(a, i, b, nb, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
	return rows[na % 3][nb];
}

void nearest_try(struct nearest *n, const char *word)
{
	size_t typed = strlen(n->typed), distance;

	if (!word)
		return;
	distance = typed > 1 && strncasecmp(word, n->typed, typed) == 0
		? 0
		: word_distance(n->typed, word);
	if (n->found && distance >= n->distance)
		return;
	n->found = word;
	n->distance = distance;
}

/* One slip in a short word, and in four characters more another. */
const char *nearest_likely(const struct nearest *n)
{
	return n->found && n->distance <= (strlen(n->typed) + 2) / 4 ? n->found : NULL;
}
