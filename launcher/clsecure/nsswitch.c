#include "config.h"
#include "launcher/clsecure/nsswitch.h"

#include <ctype.h>
#include <errno.h>

#define SOURCE "clsecure"
#define WORDS_MAX 32

const char *const nsswitch_databases[] = {"passwd", "group", "shadow", NULL};

/* A line of a database, cut into the words between the colon and a comment. */
struct words {
	struct {
		size_t at, size;
	} word[WORDS_MAX];
	size_t n, end; /* end: behind the last word */
};

/* Is it the line of this database?  Gives the offset behind the colon. */
static size_t is_line_of(const char *line, const char *database)
{
	size_t blank = strspn(line, " \t"), n = strlen(database);
	const char *p = line + blank;

	if (strncmp(p, database, n) != 0)
		return 0;
	p += n + strspn(p + n, " \t");
	return *p == ':' ? (size_t)(p + 1 - line) : 0;
}

static bool cut_words(const char *line, size_t from, struct words *w)
{
	w->n = 0;
	w->end = from;
	for (size_t i = from; line[i] && line[i] != '#';) {
		size_t n;

		if (isspace((unsigned char)line[i])) {
			i++;
			continue;
		}
		n = line[i] == '[' ? strcspn(line + i, "]") + 1 : strcspn(line + i, " \t[#");
		if (w->n == WORDS_MAX || n > strlen(line + i))
			return false;
		w->word[w->n].at = i;
		w->word[w->n++].size = n;
		w->end = i += n;
	}
	return true;
}

static bool is_word(const char *line, const struct words *w, size_t i, const char *word)
{
	return w->word[i].size == strlen(word) &&
		strncasecmp(line + w->word[i].at, word, w->word[i].size) == 0;
}

/*
 * [NOTFOUND=return], or a negated status that includes it: who is not found there is looked for no
 * further.
 */
static bool ends_lookup(const char *line, const struct words *w, size_t i)
{
	char rule[128], *save = NULL;

	if (line[w->word[i].at] != '[')
		return false;
	snprintf(rule, sizeof(rule), "%.*s", (int)w->word[i].size - 2, line + w->word[i].at + 1);
	for (char *s = strtok_r(rule, " \t", &save); s; s = strtok_r(NULL, " \t", &save)) {
		char *action = strchr(s, '=');

		if (!action || strcasecmp(action, "=return") != 0)
			continue;
		*action = '\0';
		if (strcasecmp(s, "NOTFOUND") == 0 ||
			(*s == '!' && strcasecmp(s, "!NOTFOUND") != 0))
			return true;
	}
	return false;
}

/* Where our word goes: the offset before which it is put, with *ret_last when that is the end. */
static int find_place(const char *line, const struct words *w, size_t *ret_at, bool *ret_last)
{
	size_t source = 0, sources = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (line[w->word[i].at] != '[') {
			source = i;
			sources++;
		} else if (ends_lookup(line, w, i)) {
			/* Before the first source nobody's look-up would be as it was. */
			if (sources < 2)
				return -EOPNOTSUPP;
			*ret_at = w->word[source].at;
			*ret_last = false;
			return 0;
		}
	}
	*ret_at = w->end;
	*ret_last = true;
	return 0;
}

/*
 * 0: our word is on the line and is reached; -ENOENT; -EOPNOTSUPP: something ends the look-up
 * before.
 */
static int reached(const char *line, size_t from)
{
	struct words w;
	bool ended = false;

	if (!cut_words(line, from, &w))
		return -ENOENT;
	for (size_t k = 0; k < w.n; k++) {
		if (is_word(line, &w, k, SOURCE))
			return ended ? -EOPNOTSUPP : 0;
		ended |= ends_lookup(line, &w, k);
	}
	return -ENOENT;
}

static int take_out(struct lines *l, size_t i, size_t from)
{
	char *line = l->line[i];
	struct words w;

	if (!cut_words(line, from, &w))
		return 0;
	for (size_t k = w.n; k-- > 0;) {
		size_t at = w.word[k].at, end = at + w.word[k].size;

		if (!is_word(line, &w, k, SOURCE))
			continue;
		/*
		 * With one blank: that before it, or when it was put before another source that
		 * after it.
		 */
		if (k + 1 == w.n && at > from)
			at--;
		else if (line[end] == ' ')
			end++;
		memmove(line + at, line + end, strlen(line + end) + 1);
	}
	return 0;
}

static int put_in(struct lines *l, size_t i, size_t from, const char *database, struct error *e)
{
	_cleanup_free_ char *new = NULL;
	const char *line = l->line[i];
	struct words w;
	size_t at = 0;
	bool last = true;

	if (!cut_words(line, from, &w) || find_place(line, &w, &at, &last) < 0)
		return error_set(e, -EOPNOTSUPP,
			"/etc/nsswitch.conf: '%s:' ends every look-up after its first source: "
			"write 'clsecure' "
			"into the line before [...=return], then run this again",
			database);
	if (asprintf(&new, "%.*s%s%s%s%s", (int)at, line, last ? " " : "", SOURCE, last ? "" : " ",
		    line + at) < 0)
		return error_errno(e, -ENOMEM, "/etc/nsswitch.conf");
	free(l->line[i]);
	l->line[i] = TAKE_PTR(new);
	return 0;
}

static int edit_database(struct lines *l, const char *database, bool add, struct error *e)
{
	bool found = false;
	char line[64];
	int err = 0;

	for (size_t i = 0; i < l->n && err == 0; i++) {
		size_t from = is_line_of(l->line[i], database);

		if (!from)
			continue;
		found = true;
		if (add && reached(l->line[i], from) == 0)
			continue; /* the admin may have chosen another place */
		err = take_out(l, i, from);
		if (add && err == 0)
			err = put_in(l, i, from, database, e);
	}
	if (!add || found || err < 0)
		return err;
	snprintf(line, sizeof(line), "%s: files %s %s", database, SOURCE, LINES_MARK);
	err = lines_insert(l, l->n, line);
	return err < 0 ? error_errno(e, err, "/etc/nsswitch.conf") : 0;
}

int nsswitch_edit(struct lines *l, bool add, struct error *e)
{
	int err = 0;

	lines_strip(l);
	for (size_t i = 0; nsswitch_databases[i] && err == 0; i++)
		err = edit_database(l, nsswitch_databases[i], add, e);
	return err;
}

int nsswitch_check(const struct lines *l, const char *database)
{
	int r = -ENOENT;

	for (size_t i = 0; i < l->n; i++) {
		size_t from = is_line_of(l->line[i], database);

		if (from) /* glibc takes the last line of a database */
			r = reached(l->line[i], from);
	}
	return r;
}
