/*
 * What of the owner's home a sandbox is shown so that programs are found there: toolchains, and
 * Claude Code where it is installed for one person.  Looked for as that person, in one child;
 * nothing of it is run or read, but git's identity (identity.h).
 */
#ifndef CLSECURE_TOOLCHAINS_H
#define CLSECURE_TOOLCHAINS_H

#include "lib/base/person.h"

struct toolchains {
	/* real absolute paths, to be shown read-only in their own place; NULL-terminated; owned */
	char **binds;
	char *path; /* directories for PATH, ':' between; "" if there are none; owned */
	/* Claude Code's program, real and absolute; NULL: in the host's system or nowhere; owned */
	char *claude;
	bool claude_system; /* it is in /usr, as "claude" */
	char *gitconfig; /* git's identity of the owner; "" if not asked for or not there; owned */
};

enum {
	TOOLCHAINS_ALL = 1, /* Toolchains=auto; else Claude alone */
	TOOLCHAINS_IDENTITY = 2,
};

/* What has `project` in it, or is in it, is left out: it is shown as the project. */
int toolchains_find(const struct person *owner, const char *project, unsigned what,
	struct toolchains *ret, struct error *e);
void toolchains_done(struct toolchains *t);

#endif
