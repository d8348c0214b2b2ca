/*
 * What setup changes on the host: whole new texts of files, shown as a diff, put in place one by
 * one.
 *
 * A file is replaced by rename, with its mode, owner and extended attributes, and only if it still
 * reads as it did when the plan was made.  All paths are below `root` ("" but for tests); the files
 * are root's, so they are read as root; a symbolic link in a file's place is refused.
 */
#ifndef CLSECURE_PLAN_H
#define CLSECURE_PLAN_H

#include <sys/types.h>

#include "lib/base/error.h"

enum stage { STAGE_PAM, STAGE_SYSTEMD, STAGE_SSHD, STAGE_NSS, STAGE_COUNT_ };

struct change {
	enum stage stage;
	char *path; /* owned, without root */
	char *old, *new; /* owned; NULL: there is no such file */
	bool keep; /* old goes to PATH.clsecure-saved: others changed it */
	bool done;
};

struct plan {
	const char *root;
	struct change *change; /* owned */
	size_t n;
};
void plan_done(struct plan *p);

/* The whole file; *ret_text is NULL when there is none.  -ELOOP for a link, -EFBIG, -EBADMSG. */
int host_read(const char *root, const char *path, char **ret_text, struct error *e);

/* Takes both texts over, also on failure.  Nothing is added where they are the same. */
int plan_add(struct plan *p, enum stage stage, const char *path, char *old, char *new,
	struct error *e);

/* The diffs of all, in order. */
int plan_print(const struct plan *p, FILE *f);

/* The changes of one stage. */
int plan_apply(struct plan *p, enum stage stage, struct error *e);

/* Takes back what was applied, the last first, as far as it still reads as it was written. */
void plan_revert(struct plan *p);

#endif
