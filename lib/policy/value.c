#include "config.h"
#include "lib/policy/value.h"
#include "lib/policy/value-read.h"

#include <errno.h>

#include "lib/policy/words.h"

void value_done(struct value *v)
{
	free(v->text);
	words_free(v->list);
	*v = (struct value){0};
}

bool setting_is_list(enum setting s)
{
	switch (settings[s].type) {
	case TYPE_NAMES:
	case TYPE_PATHS:
	case TYPE_BINDS:
	case TYPE_ENV:
	case TYPE_DOMAINS:
	case TYPE_PORTS:
		return true;
	default:
		return false;
	}
}

bool setting_is_number(enum setting s)
{
	switch (settings[s].type) {
	case TYPE_BOOL: case TYPE_ENUM: case TYPE_COUNT: case TYPE_SIZE: case TYPE_TIME:
		return true;
	default:
		return false;
	}
}

/* Of the network both numbers and lists: an owner opens no way that the administrator closed. */
bool setting_is_limit(enum setting s)
{
	if (streq(settings[s].section, settings[SETTING_NETWORK].section))
		return settings[s].looser == LOOSER_HIGHER || settings[s].looser == LOOSER_MORE;
	return (settings[s].type == TYPE_COUNT || settings[s].type == TYPE_SIZE) &&
	       settings[s].looser == LOOSER_HIGHER;
}

bool value_exceeds(enum setting s, const struct value *v, const struct value *limit)
{
	if (!setting_is_list(s))
		return v->number > limit->number;
	for (size_t i = 0; i < v->n; i++)
		if (!value_has(limit, v->list[i]))
			return true;
	return false;
}

bool value_has(const struct value *v, const char *item)
{
	for (size_t i = 0; i < v->n; i++)
		if (streq(v->list[i], item))
			return true;
	return false;
}

bool value_equal(const struct value *a, const struct value *b)
{
	return a->number == b->number && streq(a->text, b->text);
}

char *word_quote(const char *word)
{
	char *quoted, *out;

	if (*word && !strpbrk(word, " \t'\"\\#;"))
		return strdup(word);
	quoted = out = malloc(2 * strlen(word) + 3);
	if (!quoted)
		return NULL;
	*out++ = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			*out++ = '\\';
		*out++ = *word;
	}
	strcpy(out, "\"");
	return quoted;
}

/* The canonical text of a list; number and text follow from it. */
static int retell(struct value *v)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++) {
		_cleanup_free_ char *word = word_quote(v->list[i]);

		if (!word) {
			fclose(f);
			return -ENOMEM;
		}
		fprintf(f, "%s%s", i ? " " : "", word);
	}
	if (fclose(f) != 0)
		return -ENOMEM;
	free(v->text);
	v->text = TAKE_PTR(text);
	v->number = v->n;
	return 0;
}

int value_copy(const struct value *v, struct value *ret_value)
{
	_cleanup_(value_done) struct value copy = {.number = v->number, .text = strdup(v->text)};

	if (!copy.text)
		return -ENOMEM;
	if (v->list) {
		copy.list = calloc(v->n + 1, sizeof(char *));
		if (!copy.list)
			return -ENOMEM;
		for (; copy.n < v->n; copy.n++) {
			copy.list[copy.n] = strdup(v->list[copy.n]);
			if (!copy.list[copy.n])
				return -ENOMEM;
		}
	}
	*ret_value = copy;
	copy = (struct value){0};
	return 0;
}

int value_builtin(enum setting s, struct value *ret_value)
{
	return value_read(s, settings[s].builtin, ret_value, NULL);
}

int value_parse(enum setting s, const char *text, struct value *ret_value, struct error *e)
{
	const struct setting_info *info = &settings[s];

	if (!setting_built(s))
		return error_set(e, -EOPNOTSUPP, "%s= is not in this version", info->key);
	if (strlen(text) > VALUE_TEXT_MAX)
		return error_set(e, -EINVAL, "%s= is longer than %d bytes", info->key,
			VALUE_TEXT_MAX);
	if (!text_valid(text))
		return error_set(e, -EINVAL, "%s= has a control character, or is not UTF-8",
			info->key);
	if (!text_fits_line(text))
		return error_set(e, -EINVAL,
			"%s= begins or ends with a blank, ends with a backslash, or has "
			"a comment inside: quote it",
			info->key);
	return value_read(s, text, ret_value, e);
}

static int list_append(struct value *v, const char *item)
{
	char **larger;

	if (v->n >= VALUE_LIST_MAX)
		return -E2BIG;
	larger = reallocarray(v->list, v->n + 2, sizeof(char *));
	if (!larger)
		return -ENOMEM;
	v->list = larger;
	v->list[v->n + 1] = NULL;
	v->list[v->n] = strdup(item);
	if (!v->list[v->n])
		return -ENOMEM;
	v->n++;
	return 0;
}

/* NAME=VALUE takes the place of an earlier NAME=…. */
static void list_drop(enum setting s, struct value *v, const char *item, bool by_name)
{
	size_t kept = 0,
	       length = settings[s].type == TYPE_ENV && by_name ? strcspn(item, "=") + 1 : 0;

	for (size_t i = 0; i < v->n; i++) {
		bool same =
			length ? strncmp(v->list[i], item, length) == 0 : streq(v->list[i], item);

		if (same)
			free(v->list[i]);
		else
			v->list[kept++] = v->list[i];
	}
	v->n = kept;
	if (v->list)
		v->list[kept] = NULL;
}

int value_add(enum setting s, struct value *v, const struct value *more)
{
	for (size_t i = 0; i < more->n; i++) {
		int err;

		if (value_has(v, more->list[i]))
			continue;
		list_drop(s, v, more->list[i], true);
		err = list_append(v, more->list[i]);
		if (err < 0)
			return err;
	}
	return retell(v);
}

int value_remove(enum setting s, struct value *v, const struct value *less)
{
	for (size_t i = 0; i < less->n; i++)
		list_drop(s, v, less->list[i], false);
	return retell(v);
}

/* What is in both; true when `wanted` has more than that. */
static int intersect(enum setting s, struct value *v, const struct value *wanted, bool *ret_refused)
{
	_cleanup_(value_done) struct value both = {0};
	bool refused = false;

	for (size_t i = 0; i < wanted->n; i++) {
		int err = 0;

		if (value_has(v, wanted->list[i]))
			err = list_append(&both, wanted->list[i]);
		else
			refused = true;
		if (err < 0)
			return err;
	}
	if (retell(&both) < 0)
		return -ENOMEM;
	value_done(v);
	*v = both;
	both = (struct value){0};
	*ret_refused = refused;
	return 0;
}

int value_tighten(enum setting s, struct value *v, const struct value *wanted, bool *ret_refused)
{
	struct value copy;
	bool looser = true;
	int err;

	switch (settings[s].looser) {
	case LOOSER_MORE:
		return intersect(s, v, wanted, ret_refused);
	case LOOSER_FEWER:
		err = value_add(s, v, wanted);
		if (err == 0)
			*ret_refused = false;
		return err;
	case LOOSER_HIGHER:
		looser = wanted->number > v->number;
		break;
	case LOOSER_LOWER:
		looser = wanted->number < v->number;
		break;
	case LOOSER_ANY:
		looser = !value_equal(v, wanted);
		break;
	}
	if (!looser) {
		err = value_copy(wanted, &copy);
		if (err < 0)
			return err;
		value_done(v);
		*v = copy;
	}
	*ret_refused = looser;
	return 0;
}
