#include "config.h"
#include "launcher/clsecure/lines.h"

#include <errno.h>

void lines_done(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct lines){0};
}

static int insert_n(struct lines *l, size_t at, const char *line, size_t size)
{
	char **grown, *copy = strndup(line, size);

	if (!copy)
		return -ENOMEM;
	grown = reallocarray(l->line, l->n + 1, sizeof(*grown));
	if (!grown) {
		free(copy);
		return -ENOMEM;
	}
	l->line = grown;
	memmove(grown + at + 1, grown + at, (l->n - at) * sizeof(*grown));
	grown[at] = copy;
	l->n++;
	return 0;
}

int lines_insert(struct lines *l, size_t at, const char *line)
{
	return insert_n(l, at, line, strlen(line));
}

void lines_remove(struct lines *l, size_t at)
{
	free(l->line[at]);
	l->n--;
	memmove(l->line + at, l->line + at + 1, (l->n - at) * sizeof(*l->line));
}

int lines_parse(const char *text, size_t size, struct lines *ret_lines)
{
	_cleanup_(lines_done) struct lines l = {0};
	const char *end = text + size;

	if (size > LINES_FILE_MAX)
		return -EFBIG;
	if (memchr(text, '\0', size))
		return -EBADMSG;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		int err;

		l.open_end = !newline;
		if (!newline)
			newline = end;
		err = insert_n(&l, l.n, text, (size_t)(newline - text));
		if (err < 0)
			return err;
		text = newline + 1;
	}
	*ret_lines = l;
	l = (struct lines){0};
	return 0;
}

int lines_text(const struct lines *l, char **ret_text)
{
	size_t size = 1;
	char *text, *p;

	for (size_t i = 0; i < l->n; i++)
		size += strlen(l->line[i]) + 1;
	p = text = malloc(size);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++) {
		p = stpcpy(p, l->line[i]);
		if (i + 1 < l->n || !l->open_end)
			*p++ = '\n';
	}
	*p = '\0';
	*ret_text = text;
	return 0;
}

bool line_is_ours(const char *line)
{
	size_t n = strlen(line), mark = strlen(LINES_MARK);

	while (n > 0 && strchr(" \t\r", line[n - 1]))
		n--;
	return n > mark && strchr(" \t", line[n - mark - 1]) &&
	       memcmp(line + n - mark, LINES_MARK, mark) == 0;
}

void lines_strip(struct lines *l)
{
	for (size_t i = l->n; i > 0; i--)
		if (line_is_ours(l->line[i - 1]))
			lines_remove(l, i - 1);
}
