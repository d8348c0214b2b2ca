#include "config.h"
#include "lib/policy/layer.h"

#include <errno.h>

#include "lib/policy/ini.h"
#include "lib/policy/legacy.h"

int layer_init(struct layer *l, enum source source, const char *file)
{
	*l = (struct layer){.source = source, .file = strdup(file)};
	return l->file ? 0 : -ENOMEM;
}

void layer_done(struct layer *l)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		value_done(&l->entries[s].value);
	free(l->file);
	l->file = NULL;
}

static bool fixed(enum setting s)
{
	return s == SETTING_PATH || s == SETTING_OWNER;
}

static bool of_admin_file(enum setting s)
{
	return streq(settings[s].section, settings[SETTING_ALLOW_ADD].section);
}

static bool of_one_project(enum setting s)
{
	return streq(settings[s].section, settings[SETTING_PATH].section);
}

/*
 * Whether this kind of layer may say it; what a project's file may say is looked at when it counts.
 */
static int may_say(enum source source, enum setting s, struct error *e)
{
	const char *key = settings[s].key;

	if (fixed(s))
		return error_set(e, -EPERM,
			"%s= is fixed when a project is added: clsecure remove it, and add "
			"it anew",
			key);
	if (of_admin_file(s) && source != SOURCE_ADMIN)
		return error_set(e, -EPERM, "%s= belongs into clsecure.conf", key);
	if (source == SOURCE_PROFILE && s == SETTING_PROFILE)
		return error_set(e, -EPERM, "%s= cannot stand in a profile", key);
	if ((source == SOURCE_PERSON || source == SOURCE_RUN) && settings[s].who == WHO_ADMIN)
		return error_set(e, -EPERM, "%s= is the administrator's alone", key);
	if ((source == SOURCE_PERSON || source == SOURCE_RUN) && of_one_project(s))
		return error_set(e, -EPERM,
			"%s= belongs to one project: clsecure set PROJECT %s=VALUE", key, key);
	return 0;
}

int layer_assign_setting(struct layer *l, enum setting s, const char *text, unsigned line,
	struct error *e)
{
	_cleanup_(value_done) struct value v = {0};
	struct entry *entry = &l->entries[s];
	bool list = setting_is_list(s);
	int err = may_say(l->source, s, e);

	if (err < 0)
		return err;
	if (entry->set && !list)
		return error_set(e, -EINVAL, "%s= stands here a second time", settings[s].key);
	err = value_parse(s, text, &v, e);
	if (err < 0)
		return err;
	if (!entry->set)
		entry->line = line;
	if (list && entry->set && v.n > 0)
		return value_add(s, &entry->value, &v);
	if (list)
		entry->reset = v.n == 0 || settings[s].looser != LOOSER_FEWER;
	value_done(&entry->value);
	entry->value = v;
	entry->set = true;
	v = (struct value){0};
	return 0;
}

int layer_assign(struct layer *l, const char *section, const char *key, const char *text,
	unsigned line, struct error *e)
{
	enum setting s;

	/* -ENOENT is for projects */
	if (setting_find(section, key, &s, e) < 0)
		return -EINVAL;
	return layer_assign_setting(l, s, text, line, e);
}

static int assign_line(void *arg, const char *section, const char *key, const char *value,
	unsigned line, struct error *e)
{
	if (!key) /* -ENOENT is for projects */
		return section_check(section, e) < 0 ? -EINVAL : 0;
	if (!*section)
		return error_set(e, -EINVAL, "'=' before the first [Section]");
	return layer_assign(arg, section, key, value, line, e);
}

int layer_emit(const struct layer *l, enum setting s, emit_fn fn, void *arg)
{
	const struct entry *entry = &l->entries[s];
	int err = 0;

	if (!entry->set)
		return 0;
	if (settings[s].type == TYPE_PATH) {
		_cleanup_free_ char *quoted = word_quote(entry->value.text);

		return quoted ? fn(arg, s, *entry->value.text ? quoted : "", entry->line) : -ENOMEM;
	}
	if (!setting_is_list(s))
		return fn(arg, s, entry->value.text, entry->line);
	if (entry->value.n == 0 || (entry->reset && settings[s].looser == LOOSER_FEWER))
		err = fn(arg, s, "", entry->line);
	for (size_t i = 0; err == 0 && i < entry->value.n; i++) {
		_cleanup_free_ char *quoted = word_quote(entry->value.list[i]);

		err = quoted ? fn(arg, s, quoted, entry->line) : -ENOMEM;
	}
	return err;
}

int layer_parse(struct layer *l, const char *data, size_t size, struct error *e)
{
	int err = legacy_check(data, size, l->file, e);

	return err < 0 ? err : ini_parse(data, size, l->file, assign_line, l, e);
}

void assignment_done(struct assignment *a)
{
	value_done(&a->value);
}

/* "KEY+=" and "KEY-=" are of lists. */
static enum assignment_op operation(char *key, size_t length, const char *value)
{
	char last = '\0';

	if (length > 0)
		last = key[length - 1];

	if (last == '+' || last == '-') {
		key[length - 1] = '\0';
		return last == '+' ? ASSIGN_ADD : ASSIGN_REMOVE;
	}
	return *value ? ASSIGN_SET : ASSIGN_RESET;
}

int assignment_parse(const char *text, enum source source, bool admin,
	struct assignment *ret_assignment, struct error *e)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *key = equals ? strndup(text, (size_t)(equals - text)) : NULL;
	struct assignment a = {0};
	int err;

	if (!equals)
		return error_set(e, -EINVAL, "'%s' is not KEY=VALUE", text);
	if (!key)
		return error_errno(e, -ENOMEM, "read an assignment");
	a.op = operation(key, strlen(key), equals + 1);
	if (setting_find(NULL, key, &a.setting, e) < 0)
		return -EINVAL;
	err = may_say(source, a.setting, e);
	if (err < 0)
		return err;
	if (settings[a.setting].who == WHO_ADMIN && !admin)
		return error_set(e, -EPERM, "%s= is the administrator's alone", key);
	if ((a.op == ASSIGN_ADD || a.op == ASSIGN_REMOVE) && !setting_is_list(a.setting))
		return error_set(e, -EINVAL, "%s= is not a list: += and -= are for lists", key);
	if (a.op != ASSIGN_RESET) {
		err = value_parse(a.setting, equals + 1, &a.value, e);
		if (err < 0)
			return err;
	}
	*ret_assignment = a;
	return 0;
}

static int take(struct entry *entry, const struct value *v)
{
	struct value copy;
	int err = value_copy(v, &copy);

	if (err < 0)
		return err;
	value_done(&entry->value);
	entry->value = copy;
	entry->set = entry->reset = true;
	entry->line = 0;
	return 0;
}

static int remove_items(enum setting s, struct value *v, const struct value *less, struct error *e)
{
	for (size_t i = 0; i < less->n; i++)
		if (!value_has(v, less->list[i]))
			return error_set(e, -ENOENT, "%s= has no '%s'", settings[s].key,
				less->list[i]);
	return value_remove(s, v, less);
}

int layer_apply(struct layer *l, const struct assignment *a, const struct value *weaker,
	struct error *e)
{
	struct entry *entry = &l->entries[a->setting];
	int err = 0;

	if (a->op == ASSIGN_RESET) {
		value_done(&entry->value);
		*entry = (struct entry){0};
		return 0;
	}
	if (a->op == ASSIGN_SET)
		err = take(entry, &a->value);
	else if (!entry->set)
		err = take(entry, weaker);
	if (err == 0 && a->op == ASSIGN_ADD)
		err = value_add(a->setting, &entry->value, &a->value);
	if (err == 0 && a->op == ASSIGN_REMOVE)
		err = remove_items(a->setting, &entry->value, &a->value, e);
	if (err == -ENOMEM || err == -E2BIG)
		error_errno(e, err, "%s=", settings[a->setting].key);
	return err;
}
