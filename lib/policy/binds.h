/* Bind= and BindReadOnly=: taken apart, made absolute, and checked. */
#ifndef CLSECURE_BINDS_H
#define CLSECURE_BINDS_H

#include "lib/policy/layer.h"

struct bind_owned {
	char *source, *destination;
};

struct binds {
	struct bind_owned *items; /* owned */
	size_t n;
};

/* "~" and "~/x" are below `home`, anything else is itself.  Owned; NULL: no memory. */
char *path_expand(const char *path, const char *home);

int binds_expand(const struct value *v, const char *home, struct binds *ret_binds);
void binds_done(struct binds *b);

/*
 * -EINVAL: over the system's directories, in front of the project, or (Bind) files of the project
 * itself.
 */
int bind_fits(const struct bind_spec *b, enum setting s, const char *project, struct error *e);

/*
 * In an as_person() child: opens a source for what it will be used as.  Writable: a directory that
 * the person owns; else what the person may read.  No link on the way.
 */
int bind_open(const char *source, bool writable, int *ret_fd, struct error *e);

/* Every bind of the layer fits, and its owner can open it now. */
int binds_check(const struct layer *l, const struct person *owner, const char *project,
	struct error *e);

#endif
