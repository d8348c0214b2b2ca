/*
 * The layers of a project, read from where they are.
 *
 * clsecure.conf and profiles are root's and read by root.  The person's file and the project's are
 * read and parsed by as_person(); what comes back is a list of settings, checked once more.
 */
#ifndef CLSECURE_SOURCES_H
#define CLSECURE_SOURCES_H

#include "lib/policy/layer.h"

struct stack {
	struct layer
		layers[SOURCE_RUN + 1]; /* by their source; a layer without file says nothing */
	char **warnings; /* NULL-terminated when not NULL; owned */
	size_t n_warnings;
};

void stack_done(struct stack *s);
int stack_warn(struct stack *s, const char *format, ...) _printf_(2, 3);

/* clsecure.conf; a missing one says nothing. */
int load_admin(struct stack *s, struct error *e);

/* The profile of that name.  -EINVAL when there is none. */
int load_profile(struct stack *s, const char *name, struct error *e);

/* ~/.config/clsecure/config and PROJECT/.clsecure/config, by that person. */
int load_persons(struct stack *s, const struct person *owner, const char *project, struct error *e);

/*
 * What load_persons() gets from its child: for the fuzzer.  -EPROTO: not what a sane child answers.
 */
int take_answer(struct stack *s, const char *data, size_t size, struct error *e);

#endif
