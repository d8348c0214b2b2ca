/* What a policy answers. */
#include "config.h"
#include "lib/policy/effective.h"

#include <errno.h>
#include <grp.h>

#include "lib/policy/words.h"

#define GROUP_BUFFER_MAX (1024 * 1024) /* bytes */

const char *policy_slug(const struct policy *p)
{
	return p->slug;
}

const struct person *policy_owner(const struct policy *p)
{
	return &p->owner;
}

const char *policy_path(const struct policy *p)
{
	return p->path;
}

uint64_t policy_number(const struct policy *p, enum setting s)
{
	return p->effective.values[s].number;
}

const char *policy_choice(const struct policy *p, enum setting s)
{
	return settings[s].type == TYPE_ENUM ? settings[s].choices[p->effective.values[s].number]
					     : p->effective.values[s].text;
}

const char *policy_text(const struct policy *p, enum setting s)
{
	return p->effective.values[s].text;
}

char *const *policy_list(const struct policy *p, enum setting s, size_t *ret_n)
{
	static char *const none[] = {NULL};
	const struct value *v = &p->effective.values[s];

	if (ret_n)
		*ret_n = v->n;
	return v->list ?: none;
}

enum source policy_source(const struct policy *p, enum setting s)
{
	return p->effective.sources[s];
}

const char *policy_source_text(const struct policy *p, enum setting s)
{
	return p->source_texts[s];
}

char *const *policy_warnings(const struct policy *p)
{
	static char *const none[] = {NULL};

	return p->warnings ?: none;
}

int policy_bind(const struct policy *p, enum setting s, size_t i, struct bind_spec *ret_bind,
	struct error *e)
{
	const struct binds *all = &p->binds[s == SETTING_BIND_READ_ONLY];
	struct bind_spec b;
	int err;

	if ((s != SETTING_BIND && s != SETTING_BIND_READ_ONLY) || i >= all->n)
		return error_set(e, -ENOENT, "%s= has no item %zu", settings[s].key, i);
	b = (struct bind_spec){all->items[i].source, all->items[i].destination};
	err = bind_fits(&b, s, p->path, e);
	if (err == 0)
		*ret_bind = b;
	return err;
}

/* A group that cannot be looked up lets nobody in. */
static bool in_named_group(const struct person *who, const char *name)
{
	_cleanup_free_ char *buffer = NULL;
	struct group gr, *found = NULL;
	size_t size = 4096;
	int err;

	do {
		char *larger = realloc(buffer, size);

		if (!larger)
			return false;
		buffer = larger;
		err = getgrnam_r(name, &gr, buffer, size, &found);
		size *= 2;
	} while (err == ERANGE && size <= GROUP_BUFFER_MAX);
	return err == 0 && found && streq(found->gr_name, name) &&
		person_in_group(who, found->gr_gid);
}

bool policy_may_enter(const struct policy *p, const struct person *who)
{
	const struct value *users = &p->effective.values[SETTING_ALLOW_USERS];
	const struct value *groups = &p->effective.values[SETTING_ALLOW_GROUPS];

	if (who->uid == 0 || who->uid == p->owner.uid || value_has(users, who->name))
		return true;
	for (size_t i = 0; i < groups->n; i++)
		if (in_named_group(who, groups->list[i]))
			return true;
	return false;
}

uint64_t policy_expires(const struct policy *p)
{
	uint64_t after = p->effective.values[SETTING_EXPIRE_AFTER].number, when;

	if (after == UINT64_MAX || __builtin_add_overflow(p->changed, after, &when))
		return UINT64_MAX;
	return when;
}

int admin_setting(enum setting s, uint64_t *ret_number, char **ret_text, struct error *e)
{
	_cleanup_(stack_done) struct stack k = {0};
	_cleanup_(value_done) struct value builtin = {0};
	const struct entry *entry = &k.layers[SOURCE_ADMIN].entries[s];
	const struct value *v;
	char *text;
	int err = load_admin(&k, e);

	if (err < 0)
		return err;
	if (!entry->set && value_builtin(s, &builtin) < 0)
		return error_errno(e, -ENOMEM, "read %s=", settings[s].key);
	v = entry->set ? &entry->value : &builtin;
	text = strdup(v->text);
	if (!text)
		return error_errno(e, -ENOMEM, "read %s=", settings[s].key);
	if (ret_number)
		*ret_number = v->number;
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return 0;
}
