/*
 * A layer: what one file, or one command line, says of the settings.
 *
 * In a file a scalar stands once, a list's lines add up, and an empty line of a list first drops
 * what came before, in this file and in weaker ones.  A stronger layer takes the place of a weaker
 * one; only lists of which fewer is looser (Hide, ProtectPaths) add to the weaker ones'.
 */
#ifndef CLSECURE_LAYER_H
#define CLSECURE_LAYER_H

#include "lib/policy/policy.h"
#include "lib/policy/value.h"

struct entry {
	bool set, reset; /* reset: a list that does not add to weaker layers' */
	unsigned line; /* 0: none */
	struct value value;
};

struct layer {
	enum source source;
	char *file; /* for people; owned */
	struct entry entries[SETTING_COUNT_];
};

int layer_init(struct layer *l, enum source source, const char *file);
void layer_done(struct layer *l);

/*
 * One assignment of a file.  -EPERM: this kind of file may not say it.  -EINVAL: unknown, twice, or
 * wrong; -EOPNOTSUPP.  `section` may be NULL.
 */
int layer_assign(struct layer *l, const char *section, const char *key, const char *text,
	unsigned line, struct error *e);

/* The same when the key has been looked up. */
int layer_assign_setting(struct layer *l, enum setting s, const char *text, unsigned line,
	struct error *e);

/*
 * Calls fn with texts that layer_assign_setting() makes the same entry of, a list's items one by
 * one.
 */
typedef int (*emit_fn)(void *arg, enum setting s, const char *text, unsigned line);
int layer_emit(const struct layer *l, enum setting s, emit_fn fn, void *arg);

/* A whole file's text. */
int layer_parse(struct layer *l, const char *data, size_t size, struct error *e);

/* "KEY=VALUE", "KEY+=VALUE", "KEY-=VALUE", "KEY=" as add, set and one run are told them. */
enum assignment_op { ASSIGN_SET, ASSIGN_ADD, ASSIGN_REMOVE, ASSIGN_RESET };
struct assignment {
	enum setting setting;
	enum assignment_op op;
	struct value value; /* not of ASSIGN_RESET */
};
void assignment_done(struct assignment *a);

/*
 * For a layer of `source`; `admin`: may say what is the administrator's alone.  -EINVAL, -EPERM,
 * -EOPNOTSUPP.
 */
int assignment_parse(const char *text, enum source source, bool admin,
	struct assignment *ret_assignment, struct error *e);

/*
 * Applies it.  `weaker` is the effective value without this layer's entry: += and -= of a layer
 * that says nothing yet begin with it.  -ENOENT: what -= names is not there.
 */
int layer_apply(struct layer *l, const struct assignment *a, const struct value *weaker,
	struct error *e);

#endif
