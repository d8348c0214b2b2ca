/*
 * Looking at a person's tree as that person: what of it has to be protected, covered, and compared
 * later. Everything here runs in an as_person() child, bounded in time, and answers records.
 */
#ifndef CLSECURE_LOOK_H
#define CLSECURE_LOOK_H

#include <dirent.h>
#include <stdint.h>

#include "lib/base/person.h"

/*
 * A record: its kind, the number of the tree in decimal, a tab, a path relative to the tree, NUL.
 * For LOOK_GIT the path is "KEY=VALUE" as .git/config has it.
 */
enum look_kind {
	LOOK_PROTECT = 'P', /* a file or directory of ProtectPaths */
	LOOK_SAMPLES = 'H', /* likewise; a directory of hooks that holds git's samples alone */
	/* a symbolic link in such a place, "PATH -> TARGET": it is not protected, only compared */
	LOOK_LINK = 'L',
	LOOK_SOCKET = 'S',
	LOOK_GIT = 'G', /* a key, or another thing in .git, that makes git run something */
	LOOK_IDENTITY = 'I', /* KEY=VALUE */
	LOOK_SHORT = 'T', /* the tree is too large: sockets may have been missed */
	/* a protected file with a further name that was not found: it can be changed by that */
	LOOK_NAMES = 'N',
	/* toolchains.h; paths are absolute, the number says nothing */
	LOOK_TOOLCHAIN = 'b', /* to be shown */
	LOOK_PATH = 'p', /* for PATH */
	LOOK_CLAUDE = 'c', /* Claude Code's program */
	LOOK_CLAUDE_SYSTEM = 's', /* it is in the host's system; no path */
};

/*
 * Files of protected places that have further names (hard links): what is written by one of them is
 * what the person's programs run by the other.  Filled by look_protected(), looked for by
 * look_sockets().
 */
#define LINKS_MAX 64
#define LINKED_NAMES_MAX 256 /* answered of one tree */
struct links {
	struct linked {
		dev_t device;
		ino_t inode;
		nlink_t missing; /* names not seen yet */
		char *path; /* owned */
	} files[LINKS_MAX];
	size_t n, answered;
	bool more; /* than LINKS_MAX */
};
void links_done(struct links *l);

/* One record. */
int look_answer(struct person_out *out, enum look_kind kind, unsigned tree, const char *path);

/* Each pattern: a path relative to the project; components may have * and ?. */
int look_protected(int dir, unsigned tree, char *const *patterns, size_t n, struct links *links,
	struct person_out *out);

/*
 * Every socket below dir, and every name of `links` (or NULL), on the same file system, until
 * now_ms() is past the deadline.
 */
int look_sockets(int dir, unsigned tree, uint64_t deadline, struct links *links,
	struct person_out *out);

/*
 * Within look_protected(): the file `name` of dir, or every file below it.  `path` is of the tree.
 */
int links_collect(struct links *l, int dir, const char *name, const char *path);

/* Within look_sockets(): is it one of the files?  Then it is protected by this name too. */
bool links_have(struct links *l, int dir, const struct dirent *e);

/* After both: the files of which a name is missing, answered. */
int links_answer(const struct links *l, unsigned tree, struct person_out *out);

/*
 * Keys of the repository's own configuration that name a program, a script or another file of the
 * kind.
 */
int look_git(int dir, unsigned tree, struct person_out *out);

/*
 * user.name, user.email and init.defaultBranch of a configuration's text, which is changed: records
 * LOOK_IDENTITY.
 */
int look_git_identity(char *text, struct person_out *out);

/*
 * One record of an answer; *at moves on; ret_path points into the answer.  1; 0 at the end;
 * -EPROTO: what follows is no whole record.
 */
int look_next(const char **at, const char *end, enum look_kind *ret_kind, unsigned *ret_tree,
	const char **ret_path);

#endif
