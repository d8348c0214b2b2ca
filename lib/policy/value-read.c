/* How each type of a setting is read, and what is asked of single settings beyond their type. */
#include "config.h"
#include "lib/policy/value.h"
#include "lib/policy/value-read.h"

#include <errno.h>

#include "lib/policy/domains.h"
#include "lib/policy/words.h"

static int wrong(enum setting s, struct error *e, const char *want)
{
	return error_set(e, -EINVAL, "%s= is not %s", settings[s].key, want);
}

static int read_enum(enum setting s, const char *text, struct value *v, struct error *e)
{
	const struct setting_info *info = &settings[s];
	char words[128] = "";

	if (!choice_built(s, text))
		return error_set(e, -EOPNOTSUPP, "%s=%s is not in this version", info->key, text);
	for (size_t i = 0; info->choices[i]; i++) {
		size_t n = strlen(words);

		if (streq(text, info->choices[i])) {
			v->number = i;
			v->text = strdup(text);
			return v->text ? 0 : -ENOMEM;
		}
		if (choice_built(s, info->choices[i]))
			snprintf(words + n, sizeof(words) - n, "%s%s", n ? ", " : "",
				info->choices[i]);
	}
	return error_set(e, -EINVAL, "%s= is none of: %s", info->key, words);
}

/* A limit of 0 would be none: tmpfs(5) takes it so. */
static bool zero_fits(enum setting s)
{
	return s != SETTING_TMP_SIZE && s != SETTING_TMP_INODES && s != SETTING_OPEN_FILES &&
	       s != SETTING_MAX_SESSIONS;
}

static int read_number(enum setting s, const char *text, struct value *v, struct error *e)
{
	static const char *const want[] = {
		[TYPE_BOOL] = "yes or no",
		[TYPE_COUNT] = "a number (or infinity)",
		[TYPE_SIZE] = "a size: digits and K, M, G or T (or infinity)",
		[TYPE_TIME] = "a time: digits and s, min, h, d or w (or infinity)",
	};
	enum setting_type type = settings[s].type;
	char buf[32] = "";
	bool yes = false;
	int err;

	if (type == TYPE_BOOL) {
		err = parse_bool(text, &yes);
		v->number = yes;
		strcpy(buf, yes ? "yes" : "no");
	} else if (type == TYPE_TIME) {
		err = parse_time(text, &v->number);
		format_time(v->number, buf);
	} else {
		err = type == TYPE_SIZE ? parse_size(text, &v->number)
					: parse_count(text, &v->number);
		if (type == TYPE_SIZE || v->number == UINT64_MAX)
			format_size(v->number, buf);
		else
			snprintf(buf, sizeof(buf), "%llu", (unsigned long long)v->number);
	}
	if (err == -ERANGE)
		return error_set(e, -EINVAL, "%s= is too large", settings[s].key);
	if (err < 0)
		return wrong(s, e, want[type]);
	if (v->number == 0 && !zero_fits(s))
		return error_set(e, -EINVAL, "%s= must not be 0", settings[s].key);
	v->text = strdup(buf);
	return v->text ? 0 : -ENOMEM;
}

static int read_string(enum setting s, const char *text, struct value *v, struct error *e)
{
	/* It becomes a file's name below the profiles' directory. */
	if (s == SETTING_PROFILE && *text && (!name_valid(text) || strpbrk(text, "@\\$")))
		return wrong(s, e, "the name of a profile");
	v->text = strdup(text);
	return v->text ? 0 : -ENOMEM;
}

/* It must fit a line again, with other quotes perhaps. */
static bool quoted_fits(const char *word)
{
	_cleanup_free_ char *quoted = word_quote(word);

	return quoted && strlen(quoted) <= VALUE_TEXT_MAX;
}

static int read_path(enum setting s, const char *text, struct value *v, struct error *e)
{
	_cleanup_(words_freep) char **words = NULL;
	size_t n = 0;

	/* Quotes are for what a line cannot hold; a path without them may have blanks. */
	if (text[0] == '"' || text[0] == '\'') {
		if (words_split(text, 1, &words, &n) < 0 || n != 1)
			return wrong(s, e, "one path in quotes");
		text = words[0];
	}
	if (*text && !path_normal(text, s != SETTING_SHELL && s != SETTING_PATH, false))
		return wrong(s, e, "an absolute path without '.', '..' and double slashes");
	if (!quoted_fits(text))
		return error_set(e, -EINVAL, "%s= is too long", settings[s].key);
	v->text = strdup(text);
	return v->text ? 0 : -ENOMEM;
}

bool destination_allowed(const char *path)
{
	static const char *const reserved[] = {
		"etc", "usr", "bin", "sbin", "dev", "proc", "sys", "run", "var",
	};
	size_t n;

	if (path[0] != '/' || path[1] == '\0')
		return false;
	n = strcspn(path + 1, "/");
	if (n >= 3 && strncmp(path + 1, "lib", 3) == 0) /* lib, lib32, lib64, libx32 */
		return false;
	for (size_t i = 0; i < ELEMENTSOF(reserved); i++)
		if (strlen(reserved[i]) == n && strncmp(path + 1, reserved[i], n) == 0)
			return false;
	return true;
}

int bind_split(const char *item, char **ret_source, char **ret_destination)
{
	const char *colon = strchr(item, ':');
	_cleanup_free_ char *source = colon ? strndup(item, (size_t)(colon - item)) : strdup(item);
	_cleanup_free_ char *destination = NULL;

	if (!source)
		return -ENOMEM;
	if (colon) {
		if (strchr(colon + 1, ':'))
			return -EINVAL;
		destination = strdup(colon + 1);
		if (!destination)
			return -ENOMEM;
	}
	*ret_source = TAKE_PTR(source);
	*ret_destination = TAKE_PTR(destination);
	return 0;
}

/* ~ is made absolute for the owner later, and looked at again then. */
static bool bind_valid(const char *item)
{
	_cleanup_free_ char *source = NULL, *destination = NULL;
	const char *to;

	if (bind_split(item, &source, &destination) < 0 || !path_normal(source, true, false))
		return false;
	to = destination ?: source;
	return path_normal(to, true, false) && (to[0] == '~' || destination_allowed(to));
}

static bool port_valid(const char *item)
{
	uint64_t v;

	return parse_count(item, &v) == 0 && v > 0 && v < 65536;
}

static bool env_valid(const char *item)
{
	_cleanup_free_ char *name = strndup(item, strcspn(item, "="));

	return name && strchr(item, '=') && variable_valid(name, false) &&
	       strncmp(name, "CLSECURE_", strlen("CLSECURE_")) != 0;
}

static bool item_valid(enum setting s, const char *item)
{
	switch (settings[s].type) {
	case TYPE_PATHS:
		if (s == SETTING_PROTECT_PATHS) /* of the project, wherever that is */
			return item[0] != '/' && path_normal(item, false, true);
		return path_normal(item, true, true) && !streq(item, "/");
	case TYPE_BINDS:
		return bind_valid(item);
	case TYPE_ENV:
		return env_valid(item);
	case TYPE_PORTS:
		return port_valid(item);
	case TYPE_DOMAINS:
		return domain_valid(item);
	case TYPE_NAMES:
		return s == SETTING_PASS_ENV ? variable_valid(item, true) : name_valid(item);
	default:
		return name_valid(item);
	}
}

/*
 * Which one, by its number: what it says may be the half of a secret that had a blank in it.  Of a
 * variable the name is shown too.
 */
static int wrong_item(enum setting s, size_t i, const char *item, struct error *e, const char *want)
{
	const char *equals = settings[s].type == TYPE_ENV ? strchr(item, '=') : NULL;
	_cleanup_free_ char *name = equals ? strndup(item, (size_t)(equals - item)) : NULL;

	if (name && word_showable(name))
		return error_set(e, -EINVAL, "%s= is not %s: item %zu, '%s='", settings[s].key,
			want, i + 1, name);
	return error_set(e, -EINVAL, "%s= is not %s: item %zu", settings[s].key, want, i + 1);
}

static int read_list(enum setting s, const char *text, struct value *v, struct error *e)
{
	static const char *const want[] = {
		[TYPE_NAMES] = "a list of names",
		[TYPE_PATHS] = "a list of paths without '.', '..' and double slashes",
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma) */
		[TYPE_BINDS] = "a list of SOURCE or SOURCE:DESTINATION, absolute or ~/…, the "
			       "destination outside of the system's directories",
		[TYPE_ENV] = "a list of NAME=VALUE (CLSECURE_… is clsecure's own)",
		/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma) */
		[TYPE_DOMAINS] = "a list of NAME, *.NAME, *, ADDRESS[/PREFIX], each with :PORT or :* "
				 "behind it or not (names in ASCII, IPv6 in brackets), or @SET",
		[TYPE_PORTS] = "a list of ports, 1 to 65535",
	};
	_cleanup_(value_done) struct value words = {0};
	int err = words_split(text, VALUE_LIST_MAX, &words.list, &words.n);

	if (err == -EINVAL)
		return error_set(e, err,
			"%s= has a quote that is not closed, or a backslash before a "
			"character that needs none",
			settings[s].key);
	if (err == -E2BIG)
		return error_set(e, -EINVAL, "%s= has more than %d items", settings[s].key,
			VALUE_LIST_MAX);
	if (err < 0)
		return err;
	for (size_t i = 0; i < words.n; i++) {
		if (!item_valid(s, words.list[i]))
			return wrong_item(s, i, words.list[i], e,
				s == SETTING_PROTECT_PATHS
					? "a list of paths relative to the project"
					: want[settings[s].type]);
		if (!quoted_fits(words.list[i]))
			return error_set(e, -EINVAL, "%s= has an item that is too long",
				settings[s].key);
	}
	return value_add(s, v, &words);
}

int value_read(enum setting s, const char *text, struct value *ret_value, struct error *e)
{
	_cleanup_(value_done) struct value v = {0};
	int err;

	if (settings[s].type == TYPE_ENUM)
		err = read_enum(s, text, &v, e);
	else if (setting_is_number(s))
		err = read_number(s, text, &v, e);
	else if (setting_is_list(s))
		err = read_list(s, text, &v, e);
	else if (settings[s].type == TYPE_PATH)
		err = read_path(s, text, &v, e);
	else
		err = read_string(s, text, &v, e);
	if (err == -ENOMEM)
		error_errno(e, err, "%s=", settings[s].key);
	if (err < 0)
		return err;
	*ret_value = v;
	v = (struct value){0};
	return 0;
}
