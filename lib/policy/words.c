#include "config.h"
#include "lib/policy/words.h"

#include <errno.h>

#include "lib/base/error.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

void words_free(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

/* One word from *p, which is not blank; unquoted into `out`, which has room for it. */
static int one_word(const char **p, char *out)
{
	const char *s = *p;
	char quote = '\0';

	for (; *s && (quote || !blank(*s)); s++) {
		if (*s == '\\') {
			s++;
			if (!*s || !strchr(" \t'\"\\", *s))
				return -EINVAL;
			*out++ = *s;
		} else if (quote && *s == quote) {
			quote = '\0';
		} else if (!quote && (*s == '\'' || *s == '"')) {
			quote = *s;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
	*p = s;
	return quote ? -EINVAL : 0;
}

int words_split(const char *text, size_t max, char ***ret_words, size_t *ret_n)
{
	_cleanup_(words_freep) char **words = calloc(1, sizeof(char *));
	_cleanup_free_ char *word = malloc(strlen(text) + 1);
	size_t n = 0;

	if (!words || !word)
		return -ENOMEM;
	for (;;) {
		char **larger;

		while (blank(*text))
			text++;
		if (!*text)
			break;
		if (one_word(&text, word) < 0)
			return -EINVAL;
		if (n == max)
			return -E2BIG;
		larger = reallocarray(words, n + 2, sizeof(char *));
		if (!larger)
			return -ENOMEM;
		words = larger;
		words[n + 1] = NULL;
		words[n] = strdup(word);
		if (!words[n++])
			return -ENOMEM;
	}
	*ret_words = TAKE_PTR(words);
	*ret_n = n;
	return 0;
}

/* Digits from *p on, at least one. */
static int digits(const char **p, uint64_t *ret)
{
	const char *s = *p;
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	*p = s;
	*ret = v;
	return 0;
}

int parse_count(const char *text, uint64_t *ret)
{
	uint64_t v;
	int err;

	if (streq(text, "infinity")) {
		*ret = UINT64_MAX;
		return 0;
	}
	err = digits(&text, &v);
	if (err < 0)
		return err;
	if (*text)
		return -EINVAL;
	if (v == UINT64_MAX) /* which would say "infinity" */
		return -ERANGE;
	*ret = v;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = {
	{"", 1}, {"K", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}, {"T", 1ull << 40},
};

static const struct unit times[] = {
	{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400},
};

/* A number and its unit from *p on. */
static int with_unit(const char **p, const struct unit *units, size_t n, uint64_t *ret)
{
	const char *s = *p;
	size_t length;
	uint64_t v;
	int err = digits(&s, &v);

	if (err < 0)
		return err;
	length = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	for (size_t i = 0; i < n; i++)
		if (strlen(units[i].name) == length && strncmp(s, units[i].name, length) == 0) {
			if (__builtin_mul_overflow(v, units[i].factor, &v) || v == UINT64_MAX)
				return -ERANGE;
			*p = s + length;
			*ret = v;
			return 0;
		}
	return -EINVAL;
}

int parse_size(const char *text, uint64_t *ret)
{
	uint64_t v;
	int err;

	if (streq(text, "infinity"))
		return parse_count(text, ret);
	err = with_unit(&text, sizes, ELEMENTSOF(sizes), &v);
	if (err == 0 && *text)
		err = -EINVAL;
	if (err == 0)
		*ret = v;
	return err;
}

int parse_time(const char *text, uint64_t *ret)
{
	uint64_t sum = 0, v;
	int err;

	if (streq(text, "infinity"))
		return parse_count(text, ret);
	do {
		err = with_unit(&text, times, ELEMENTSOF(times), &v);
		if (err < 0)
			return err;
		if (__builtin_add_overflow(sum, v, &sum) || sum == UINT64_MAX)
			return -ERANGE;
		while (blank(*text))
			text++;
	} while (*text);
	*ret = sum;
	return 0;
}

int parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (streq(text, words[i])) {
			*ret = i % 2;
			return 0;
		}
	return -EINVAL;
}

/* With the largest unit that leaves a whole number. */
static void format_unit(uint64_t v, const struct unit *units, size_t n, char buf[static 32])
{
	size_t i = n;

	while (i-- > 1)
		if (v != 0 && v % units[i].factor == 0)
			break;
	if (v == UINT64_MAX)
		strcpy(buf, "infinity");
	else
		snprintf(buf, 32, "%llu%s", (unsigned long long)(v / units[i].factor),
			units[i].name);
}

void format_size(uint64_t size, char buf[static 32])
{
	format_unit(size, sizes, ELEMENTSOF(sizes), buf);
}

void format_time(uint64_t seconds, char buf[static 32])
{
	format_unit(seconds, times, ELEMENTSOF(times), buf);
}

bool text_valid(const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	if (!copy)
		return false;
	text_clean(copy);
	return streq(copy, text);
}

bool text_fits_line(const char *text)
{
	size_t n = strlen(text);
	char quote = '\0';

	if (n == 0)
		return true;
	if (blank(text[0]) || blank(text[n - 1]) || text[n - 1] == '\\')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\\' && i + 1 < n)
			i++;
		else if (quote && text[i] == quote)
			quote = '\0';
		else if (!quote && (text[i] == '\'' || text[i] == '"'))
			quote = text[i];
		else if (!quote && (text[i] == '#' || text[i] == ';') &&
			(i == 0 || blank(text[i - 1])))
			return false;
	}
	return true;
}

bool path_normal(const char *path, bool home, bool relative)
{
	const char *s = path;

	if (streq(s, "/"))
		return true;
	if (home && s[0] == '~') {
		if (s[1] == '\0')
			return true;
		if (s[1] != '/')
			return false;
		s++;
	} else if (s[0] == '~' || (s[0] != '/' && !relative)) {
		return false;
	}
	if (*s == '/')
		s++;
	for (;;) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

bool name_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 64 && strchr("-.", name[0]) == NULL &&
	       strspn(name, LETTERS DIGITS "_.@\\$-") == n;
}

bool variable_valid(const char *name, bool star)
{
	size_t n = strspn(name, LETTERS DIGITS "_");

	if (n == 0 || strchr(DIGITS, name[0]))
		return false;
	return name[n] == '\0' || (star && streq(name + n, "*"));
}

bool path_within(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	if (streq(outer, "/"))
		return true;
	return strncmp(inner, outer, n) == 0 && (inner[n] == '\0' || inner[n] == '/');
}
