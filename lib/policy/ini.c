#include "config.h"
#include "lib/policy/ini.h"

#include <errno.h>

#include "lib/policy/words.h"

struct ini {
	const char *file;
	unsigned line;
	ini_fn fn;
	void *arg;
	char section[64], text[INI_LINE_MAX + 1];
};

static int refuse(const struct ini *i, struct error *e, int err, const char *why)
{
	return error_set(e, err, "%s:%u: %s", i->file, i->line, why);
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	for (n = strlen(s); n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'); n--)
		s[n - 1] = '\0';
	return s;
}

static int tell(const struct ini *i, const char *key, const char *value, struct error *e)
{
	struct error inner = {0};
	int err = i->fn(i->arg, i->section, key, value, i->line, &inner);

	return err < 0 ? refuse(i, e, err, inner.text[0] ? inner.text : "cannot be read") : 0;
}

static int section_line(struct ini *i, struct error *e)
{
	char *s = trim(i->text);
	size_t n = strlen(s);

	if (n < 3 || s[n - 1] != ']' || strchr(s, ']') != s + n - 1 || strchr(s + 1, '['))
		return refuse(i, e, -EINVAL, "a section is [Name] on a line of its own");
	if (n - 2 >= sizeof(i->section))
		return refuse(i, e, -EINVAL, "there is no section with such a long name");
	s[n - 1] = '\0';
	strcpy(i->section, s + 1);
	return tell(i, NULL, NULL, e);
}

static int assignment_line(struct ini *i, struct error *e)
{
	char *equals = strchr(i->text, '='), *key, *value;

	if (!equals)
		return refuse(i, e, -EINVAL, "neither [Section] nor Key=value nor a comment");
	*equals = '\0';
	key = trim(i->text);
	value = trim(equals + 1);
	if (!*key)
		return refuse(i, e, -EINVAL, "there is no key before the '='");
	if (!text_valid(key) || !text_valid(value))
		return refuse(i, e, -EINVAL, "a control character, or text that is not UTF-8");
	if (!text_fits_line(value))
		return refuse(i, e, -EINVAL,
			"a line that is continued or has a comment inside (quote what "
			"belongs to the value; comments have lines of their own)");
	return tell(i, key, value, e);
}

/* i->text without its newline */
static int one_line(struct ini *i, struct error *e)
{
	if (i->text[0] == ' ' || i->text[0] == '\t') {
		if (!*trim(i->text))
			return 0;
		return refuse(i, e, -EINVAL,
			"a line that begins with a blank (a value has one line)");
	}
	switch (i->text[0]) {
	case '\0': case '#': case ';':
		return 0;
	case '[':
		return section_line(i, e);
	default:
		return assignment_line(i, e);
	}
}

int ini_parse(const char *data, size_t size, const char *file, ini_fn fn, void *arg,
	struct error *e)
{
	struct ini i = {.file = file, .fn = fn, .arg = arg};
	const char *end = data + size;

	if (size > INI_FILE_MAX)
		return error_set(e, -EINVAL, "%s: larger than %d bytes", file, INI_FILE_MAX);
	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((newline ?: end) - data);
		int err;

		i.line++;
		if (n > INI_LINE_MAX)
			return refuse(&i, e, -EINVAL, "a line longer than 4096 bytes");
		if (memchr(data, '\0', n))
			return refuse(&i, e, -EINVAL, "a NUL byte");
		memcpy(i.text, data, n);
		i.text[n] = '\0';
		err = one_line(&i, e);
		if (err < 0)
			return err;
		data += n + (newline ? 1 : 0);
	}
	return 0;
}
