/*
 * From layers to the effective policy.
 *
 * From the weakest to the strongest: built-in, the administrator, the profile, the project's file
 * (which can only tighten what those say), the person, project.conf, this run.  What an owner says
 * of a limit counts up to the administrator's; what root said of this project counts as it is.
 */
#include "config.h"
#include "lib/policy/policy.h"
#include "lib/policy/effective.h"

#include <errno.h>
#include <grp.h>

#include "lib/policy/words.h"

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		value_done(&p->effective.values[s]);
		free(p->source_texts[s]);
	}
	for (size_t i = 0; i < ELEMENTSOF(p->said); i++)
		layer_done(&p->said[i]);
	for (size_t k = 0; k < ELEMENTSOF(p->binds); k++)
		binds_done(&p->binds[k]);
	person_done(&p->owner);
	words_free(p->warnings);
	free(p->path);
	free(p);
}

void effective_done(struct effective *f)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		value_done(&f->values[s]);
}

static int replace(struct effective *f, enum setting s, const struct value *v, enum source source)
{
	struct value copy;
	int err = value_copy(v, &copy);

	if (err < 0)
		return err;
	value_done(&f->values[s]);
	f->values[s] = copy;
	f->sources[s] = source;
	return 0;
}

const struct value *stack_limit(const struct stack *k, enum setting s)
{
	if (!setting_is_limit(s))
		return NULL;
	if (k->layers[SOURCE_PROFILE].entries[s].set)
		return &k->layers[SOURCE_PROFILE].entries[s].value;
	return k->layers[SOURCE_ADMIN].entries[s].set
		? &k->layers[SOURCE_ADMIN].entries[s].value
		: NULL;
}

/* The project's own file: the agent can write it. */
static int merge_tightening(struct stack *k, struct effective *f, enum setting s)
{
	const struct layer *l = &k->layers[SOURCE_PROJECT_FILE];
	const struct entry *entry = &l->entries[s];
	bool refused;
	int err;

	if (settings[s].who != WHO_PROJECT)
		return stack_warn(k, "%s:%u: a project's file cannot say %s=: ignored", l->file,
			entry->line, settings[s].key);
	err = value_tighten(s, &f->values[s], &entry->value, &refused);
	if (err < 0)
		return err;
	/* An empty line that would drop the weaker files' items loosens too. */
	refused |= settings[s].looser == LOOSER_FEWER && entry->reset;
	if (refused)
		err = stack_warn(k, "%s:%u: %s= would loosen the sandbox: ignored where it does",
			l->file, entry->line, settings[s].key);
	if (!refused || settings[s].looser == LOOSER_MORE || settings[s].looser == LOOSER_FEWER)
		f->sources[s] = SOURCE_PROJECT_FILE;
	return err;
}

static int merge_entry(struct stack *k, struct effective *f, enum source source, enum setting s,
	bool bounded)
{
	const struct layer *l = &k->layers[source];
	const struct entry *entry = &l->entries[s];
	const struct value *limit = bounded ? stack_limit(k, s) : NULL;

	if (source == SOURCE_PROJECT_FILE)
		return merge_tightening(k, f, s);
	if (setting_is_list(s) && !entry->reset && settings[s].looser == LOOSER_FEWER) {
		f->sources[s] = source;
		return value_add(s, &f->values[s], &entry->value);
	}
	if (limit && value_exceeds(s, &entry->value, limit)) {
		bool refused;

		if (replace(f, s, limit, source) < 0 ||
			(setting_is_list(s) &&
				value_tighten(s, &f->values[s], &entry->value, &refused) < 0))
			return -ENOMEM;
		return stack_warn(k,
			"%s:%u: %s=%s is more than the administrator allows: %s counts", l->file,
			entry->line, settings[s].key, entry->value.text,
			f->values[s].text);
	}
	return replace(f, s, &entry->value, source);
}

/* What the administrator denies an owner cannot take back. */
static int keep_denied(const struct stack *k, struct value *v)
{
	const enum setting s = SETTING_DENY_DOMAINS;

	return value_add(s, v, &k->layers[SOURCE_ADMIN].entries[s].value)
		?: value_add(s, v, &k->layers[SOURCE_PROFILE].entries[s].value);
}

int stack_merge(struct stack *k, const bool by_admin[SETTING_COUNT_],
	struct effective *ret_effective, struct error *e)
{
	_cleanup_(effective_done) struct effective f = {0};
	int err = 0;

	for (enum setting s = 0; err == 0 && s < SETTING_COUNT_; s++) {
		err = value_builtin(s, &f.values[s]);
		for (enum source source = SOURCE_ADMIN; err == 0 && source <= SOURCE_RUN;
			source++) {
			bool bounded = source == SOURCE_PERSON || source == SOURCE_RUN ||
				       (source == SOURCE_PROJECT && !by_admin[s]);

			if (k->layers[source].entries[s].set)
				err = merge_entry(k, &f, source, s, bounded);
		}
		if (err == 0 && s == SETTING_DENY_DOMAINS && !by_admin[s])
			err = keep_denied(k, &f.values[s]);
	}
	if (err < 0)
		return error_errno(e, err, "put the policy together");
	*ret_effective = f;
	f = (struct effective){0};
	return 0;
}

int stack_check_limit(const struct stack *k, const struct layer *l, enum setting s, struct error *e)
{
	const struct value *limit = stack_limit(k, s);

	if (!limit || !l->entries[s].set || !value_exceeds(s, &l->entries[s].value, limit))
		return 0;
	return error_set(e, -EPERM, "%s=%s is more than the administrator allows (%s)",
		settings[s].key, l->entries[s].value.text, limit->text);
}

/* This run's own: the owner's words, on top of all. */
static int run_layer(struct stack *k, char *const *overrides, const bool by_admin[SETTING_COUNT_],
	struct error *e)
{
	struct layer *l = &k->layers[SOURCE_RUN];
	int err = layer_init(l, SOURCE_RUN, "this run");

	if (err < 0)
		return error_errno(e, err, "read this run's settings");
	for (; err == 0 && *overrides; overrides++) {
		_cleanup_(assignment_done) struct assignment a = {0};
		_cleanup_(effective_done) struct effective below = {0};
		struct stack quiet = *k;

		err = assignment_parse(*overrides, SOURCE_RUN, false, &a, e);
		if (err < 0)
			return err;
		quiet.warnings = NULL; /* which the last merge tells */
		quiet.n_warnings = 0;
		err = stack_merge(&quiet, by_admin, &below, e);
		words_free(quiet.warnings);
		if (err == 0)
			err = layer_apply(l, &a, &below.values[a.setting], e);
		if (err == 0)
			err = stack_check_limit(k, l, a.setting, e);
	}
	return err == -ENOENT ? -EINVAL : err;
}

int stack_load_trusted(struct stack *k, struct project_file *f, struct error *e)
{
	const struct entry *profile = &f->layer.entries[SETTING_PROFILE];
	int err = load_admin(k, e);

	if (err < 0)
		return err;
	if (!profile->set)
		profile = &k->layers[SOURCE_ADMIN].entries[SETTING_PROFILE];
	if (profile->set && *profile->value.text)
		err = load_profile(k, profile->value.text, e);
	if (err == 0) {
		k->layers[SOURCE_PROJECT] = f->layer;
		f->layer = (struct layer){0};
	}
	return err;
}

int owner_find(const struct project_file *f, bool alone, struct person *ret_owner, struct error *e)
{
	struct person p = {0};
	int err = alone ? person_by_uid_alone(f->owner, &p, e) : person_by_uid(f->owner, &p, e);

	if (err == -ENOENT || (err == 0 && !streq(p.name, f->owner_name))) {
		person_done(&p);
		return error_set(e, -EKEYREJECTED, "the owner's uid %u is not user '%s' any more",
			f->owner, f->owner_name);
	}
	if (err == 0)
		*ret_owner = p;
	return err;
}

/* ~ in Hide= is the owner's, like everybody's paths. */
static int expand_hidden(struct policy *p)
{
	struct value *v = &p->effective.values[SETTING_HIDE];
	_cleanup_(value_done) struct value all = {0};
	int err;

	for (size_t i = 0; i < v->n; i++) {
		char *path = path_expand(v->list[i], p->owner.home);
		char *one[] = {path, NULL};
		struct value more = {.list = one, .n = 1};

		err = path ? value_add(SETTING_HIDE, &all, &more) : -ENOMEM;
		free(path);
		if (err < 0)
			return err;
	}
	if (v->n == 0)
		return 0;
	value_done(v);
	*v = all;
	all = (struct value){0};
	return 0;
}

static int tell_sources(struct policy *p, const struct stack *k)
{
	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		enum source source = p->effective.sources[s];
		const struct layer *l = &k->layers[source];
		int n;

		if (source == SOURCE_BUILTIN)
			n = asprintf(&p->source_texts[s], "default");
		else if (l->entries[s].line)
			n = asprintf(&p->source_texts[s], "%s:%u", l->file, l->entries[s].line);
		else
			n = asprintf(&p->source_texts[s], "%s", l->file);
		if (n < 0) {
			p->source_texts[s] = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static int load(const char *slug, struct project_file *ret_file, struct error *e)
{
	_cleanup_close_ int projects = -1, project = -1;
	int err = projects_open(false, &projects, e);

	if (err == 0)
		err = project_open(projects, slug, &project, e);
	return err < 0 ? err : project_file_load(project, slug, ret_file, e);
}

static const enum source said_by_others[] = {SOURCE_PROJECT_FILE, SOURCE_PERSON, SOURCE_RUN};

static int finish(struct policy *p, struct stack *k, struct error *e)
{
	int err = tell_sources(p, k);

	if (err == 0)
		err = binds_expand(&p->effective.values[SETTING_BIND], p->owner.home, &p->binds[0]);
	if (err == 0)
		err = binds_expand(&p->effective.values[SETTING_BIND_READ_ONLY], p->owner.home,
			&p->binds[1]);
	if (err == 0)
		err = expand_hidden(p);
	if (err < 0)
		return error_errno(e, err, "put the policy together");
	p->warnings = TAKE_PTR(k->warnings);
	for (size_t i = 0; i < ELEMENTSOF(said_by_others); i++) {
		enum source source = said_by_others[i];

		p->said[source] = k->layers[source];
		k->layers[source] = (struct layer){0};
	}
	return 0;
}

int policy_load(const char *slug, char *const *overrides, unsigned flags,
	struct policy **ret_policy, struct error *e)
{
	_cleanup_(project_file_done) struct project_file f = {0};
	_cleanup_(stack_done) struct stack k = {0};
	_cleanup_(policy_freep) struct policy *p = calloc(1, sizeof(*p));
	bool alone = flags & POLICY_TRUSTED_ONLY;
	int err;

	if (!p)
		return error_errno(e, -ENOMEM, "load the policy of '%s'", slug);
	err = load(slug, &f, e);
	if (err == 0)
		err = owner_find(&f, alone, &p->owner, e);
	if (err == 0)
		err = stack_load_trusted(&k, &f, e);
	if (err == 0 && !alone)
		err = load_persons(&k, &p->owner, f.path, e);
	if (err == 0 && overrides)
		err = run_layer(&k, overrides, f.by_admin, e);
	if (err == 0)
		err = stack_merge(&k, f.by_admin, &p->effective, e);
	if (err == 0)
		err = finish(p, &k, e);
	if (err < 0)
		return err;
	strcpy(p->slug, slug);
	p->path = TAKE_PTR(f.path);
	p->changed = f.changed;
	*ret_policy = TAKE_PTR(p);
	return 0;
}

int policy_refresh(struct policy *p, struct error *e)
{
	_cleanup_(project_file_done) struct project_file f = {0};
	_cleanup_(effective_done) struct effective fresh = {0};
	_cleanup_(stack_done) struct stack trusted = {0};
	struct stack k;
	int err = load(p->slug, &f, e);

	if (err == 0)
		err = stack_load_trusted(&trusted, &f, e);
	if (err < 0)
		return err;
	k = trusted; /* whose layers and the policy's are lent to it */
	for (size_t i = 0; i < ELEMENTSOF(said_by_others); i++)
		k.layers[said_by_others[i]] = p->said[said_by_others[i]];
	err = stack_merge(&k, f.by_admin, &fresh, e);
	words_free(k.warnings);
	if (err < 0)
		return err;
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		if (settings[s].live) {
			struct value old = p->effective.values[s];

			p->effective.values[s] = fresh.values[s];
			fresh.values[s] = old;
		}
	p->changed = f.changed;
	return 0;
}
