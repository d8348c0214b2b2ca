/* What a word of the command line, or the directory, means. */
#ifndef CLSECURE_WORDS_H
#define CLSECURE_WORDS_H

#include "launcher/clsecure/ask.h"
#include "lib/base/names.h"

/* Has it a '/', or is it "." or ".."? */
bool word_is_path(const char *word);

/* Adds "project" or "path" (real, absolute) to a request; word NULL: this directory. */
int word_add(struct message *q, const char *word, struct error *e);

/* The git working tree that has `path` in it, or path itself; never a home directory.  Owned. */
char *git_top(const char *path);

/* What clsecured says of a project. */
struct project {
	char slug[SLUG_MAX + 1];
	char *path, *network, *command; /* owned */
	char *claude; /* Claude Code's program as the owner has it; NULL: not found; owned */
	char **pass_env, **set_env; /* owned */
	bool logged_in; /* somebody has logged in to Claude inside */
};
void project_done(struct project *p);

enum find_flags {
	FIND_ADD = 1, /* a directory that is in no project becomes one */
};

/*
 * The project of a word, with this run's settings.  0, or the exit status of a failure that was
 * said.
 */
int project_find(const struct cli *c, const char *word, unsigned flags,
	struct project *ret_project);

/* Adds a directory; says so.  `q` may carry more (name, settings).  0, or the exit status. */
int project_add(const struct cli *c, struct message *q, const char *path,
	char ret_slug[static SLUG_MAX + 1]);

#endif
