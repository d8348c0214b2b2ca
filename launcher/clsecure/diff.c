/*
 * A unified diff of two small texts.  What is alike at both ends is cut off first; the middle, a
 * few lines in what setup does, is compared by the longest common subsequence.
 */
#include "config.h"
#include "launcher/clsecure/lines.h"

#include <errno.h>
#include <stdint.h>

#define CONTEXT 3
#define MIDDLE_MAX 2000 /* lines; a longer middle is shown as replaced whole */

struct differ {
	struct lines a, b;
	char *op; /* ' ', '-', '+', one per line of the output */
	size_t n;
};

static void differ_done(struct differ *d)
{
	lines_done(&d->a);
	lines_done(&d->b);
	free(d->op);
}

/* Fills d->op for a[from..from+na) against b[from..from+nb). */
static int compare_middle(struct differ *d, size_t from, size_t na, size_t nb)
{
	_cleanup_free_ uint16_t *common = NULL;
	size_t i = 0, j = 0;

	common = calloc((na + 1) * (nb + 1), sizeof(*common));
	if (!common)
		return -ENOMEM;
#define COMMON(x, y) common[(x) * (nb + 1) + (y)]
	for (size_t x = na; x-- > 0;)
		for (size_t y = nb; y-- > 0;)
			if (streq(d->a.line[from + x], d->b.line[from + y]))
				COMMON(x, y) = (uint16_t)(COMMON(x + 1, y + 1) + 1);
			else
				COMMON(x, y) = COMMON(x + 1, y) > COMMON(x, y + 1)
					? COMMON(x + 1, y)
					: COMMON(x, y + 1);
	while (i < na || j < nb) {
		if (i < na && j < nb && streq(d->a.line[from + i], d->b.line[from + j])) {
			d->op[d->n++] = ' ';
			i++, j++;
		} else if (j == nb || (i < na && COMMON(i + 1, j) >= COMMON(i, j + 1))) {
			d->op[d->n++] = '-';
			i++;
		} else {
			d->op[d->n++] = '+';
			j++;
		}
	}
#undef COMMON
	return 0;
}

static void fill(struct differ *d, char op, size_t n)
{
	memset(d->op + d->n, op, n);
	d->n += n;
}

static int compare(struct differ *d)
{
	size_t na = d->a.n, nb = d->b.n, head = 0, tail = 0;
	int err;

	d->op = malloc(na + nb + 1);
	if (!d->op)
		return -ENOMEM;
	while (head < na && head < nb && streq(d->a.line[head], d->b.line[head]))
		head++;
	while (tail < na - head && tail < nb - head &&
	       streq(d->a.line[na - 1 - tail], d->b.line[nb - 1 - tail]))
		tail++;
	fill(d, ' ', head);
	na -= head + tail;
	nb -= head + tail;
	if (na > MIDDLE_MAX || nb > MIDDLE_MAX) {
		fill(d, '-', na);
		fill(d, '+', nb);
	} else {
		err = compare_middle(d, head, na, nb);
		if (err < 0)
			return err;
	}
	fill(d, ' ', tail);
	return 0;
}

/* One hunk: op[from..to), whose first lines are a[i] and b[j]. */
static void print_hunk(FILE *f, const struct differ *d, size_t from, size_t to, size_t i, size_t j)
{
	size_t na = 0, nb = 0;

	for (size_t k = from; k < to; k++) {
		na += d->op[k] != '+';
		nb += d->op[k] != '-';
	}
	fprintf(f, "@@ -%zu,%zu +%zu,%zu @@\n", na ? i + 1 : i, na, nb ? j + 1 : j, nb);
	for (size_t k = from; k < to; k++) {
		bool old = d->op[k] != '+';
		const struct lines *l = old ? &d->a : &d->b;
		size_t at = old ? i : j;

		fprintf(f, "%c%s\n", d->op[k], l->line[at]);
		if (l->open_end && at + 1 == l->n)
			fputs("\\ No newline at end of file\n", f);
		i += d->op[k] != '+';
		j += d->op[k] != '-';
	}
}

static void print_hunks(FILE *f, const struct differ *d)
{
	size_t i = 0, j = 0, k = 0;

	while (k < d->n) {
		size_t from, to, last;

		/* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): n are set */
		for (from = k; from < d->n && d->op[from] == ' '; from++)
			;
		if (from == d->n)
			break;
		last = from;
		for (to = from; to < d->n && to - last <= 2 * CONTEXT; to++)
			if (d->op[to] != ' ')
				last = to;
		to = last + 1 + CONTEXT < d->n ? last + 1 + CONTEXT : d->n;
		from = from - k > CONTEXT ? from - CONTEXT : k;
		i += from - k;
		j += from - k;
		print_hunk(f, d, from, to, i, j);
		for (k = from; k < to; k++) {
			i += d->op[k] != '+';
			j += d->op[k] != '-';
		}
	}
}

int text_diff(const char *path, const char *old, const char *new, char **ret_diff)
{
	_cleanup_(differ_done) struct differ d = {0};
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f;
	int err;

	err = lines_parse(old ?: "", strlen(old ?: ""), &d.a);
	if (err == 0)
		err = lines_parse(new ?: "", strlen(new ?: ""), &d.b);
	if (err == 0)
		err = compare(&d);
	if (err < 0)
		return err;
	f = open_memstream(&text, &size);
	if (!f)
		return -errno;
	if (!old || !new || !streq(old, new)) {
		fprintf(f, "--- %s\n+++ %s\n", old ? path : "/dev/null", new ? path : "/dev/null");
		print_hunks(f, &d);
	}
	if (fclose(f) != 0)
		return -errno;
	*ret_diff = TAKE_PTR(text);
	return 0;
}
