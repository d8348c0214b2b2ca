/* The inside of a policy, and how layers become one: for lib/policy alone. */
#ifndef CLSECURE_EFFECTIVE_H
#define CLSECURE_EFFECTIVE_H

#include "lib/policy/binds.h"
#include "lib/policy/sources.h"
#include "lib/policy/store.h"

struct effective {
	struct value values[SETTING_COUNT_];
	enum source sources[SETTING_COUNT_];
};

struct policy {
	char slug[SLUG_MAX + 1];
	struct person owner;
	char *path;
	uint64_t changed;
	struct effective effective;
	struct layer said[SOURCE_RUN + 1]; /* by the person's files and this run: policy_refresh() */
	char *source_texts[SETTING_COUNT_];
	char **warnings;
	struct binds binds[2]; /* of Bind and BindReadOnly */
};

void effective_done(struct effective *f);

/* Adds warnings to the stack's. */
int stack_merge(struct stack *k, const bool by_admin[SETTING_COUNT_],
	struct effective *ret_effective, struct error *e);

/*
 * clsecure.conf, the profile that project.conf names, and project.conf's layer, which is taken from
 * f.
 */
int stack_load_trusted(struct stack *k, struct project_file *f, struct error *e);

/* The administrator's most, or NULL. */
const struct value *stack_limit(const struct stack *k, enum setting s);

/* -EPERM when the layer says more than that. */
int stack_check_limit(const struct stack *k, const struct layer *l, enum setting s,
	struct error *e);

/* -EKEYREJECTED when uid and name are no longer one user's.  `alone`: without groups. */
int owner_find(const struct project_file *f, bool alone, struct person *ret_owner, struct error *e);

#endif
