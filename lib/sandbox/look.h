/*
 * Looking at a person's tree as that person: what of it has to be protected, covered, and compared later.
 * Everything here runs in an as_person() child, bounded in time, and answers records.
 */
#ifndef CLSECURE_LOOK_H
#define CLSECURE_LOOK_H

#include <stdint.h>

#include "lib/base/person.h"

/*
 * A record: its kind, the number of the tree in decimal, a tab, a path relative to the tree, NUL.
 * For LOOK_GIT the path is "KEY=VALUE" as .git/config has it.
 */
enum look_kind {
	LOOK_PROTECT = 'P', /* a file or directory of ProtectPaths */
	LOOK_SAMPLES = 'H', /* likewise; a directory of hooks that holds git's samples alone */
	LOOK_LINK = 'L', /* a symbolic link in such a place, "PATH -> TARGET": it cannot be protected, only compared */
	LOOK_SOCKET = 'S',
	LOOK_GIT = 'G', /* a key that makes git run something */
	LOOK_IDENTITY = 'I', /* KEY=VALUE */
	LOOK_SHORT = 'T', /* the tree is too large: sockets may have been missed */
};

/* Each pattern: a path relative to the project; components may have * and ?. */
int look_protected(int dir, unsigned tree, char *const *patterns, size_t n, struct person_out *out);

/* Every socket below dir, on the same file system, until now_ms() is past the deadline. */
int look_sockets(int dir, unsigned tree, uint64_t deadline, struct person_out *out);

/* Keys of the repository's own configuration that name a program, a script or another file of the kind. */
int look_git(int dir, unsigned tree, struct person_out *out);

/* user.name, user.email and init.defaultBranch of a configuration's text, which is changed: records LOOK_IDENTITY. */
int look_git_identity(char *text, struct person_out *out);

/* Does git run, or read more configuration from, the value of this key?  (section and key lower-case) */
bool git_key_runs(const char *key);

/* One record of an answer; *at moves on.  false at the end; ret_path points into the answer. */
bool look_next(const char **at, const char *end, enum look_kind *ret_kind, unsigned *ret_tree, const char **ret_path);

#endif
