/*
 * Which project has a directory?  STATE/paths/ (0700) has a symbolic link for each project: its name
 * is the SHA-256 of the directory's path, its target "SLUG:UID:PATH" (the owner's uid).
 *
 * A link is a hint: whoever finds one looks into the project that it names.  One too many does no
 * harm, but a project without its link is not found by its directory, and its place looks free.  So
 * add makes the link before the project, remove drops it after, and what is left of either is taken
 * away by pending_repair().  Where the folder is not there, as with the registry of an older
 * version, it is made by whoever needs it first, from all projects, and is there when it is whole.
 */
#ifndef CLSECURE_BYPATH_H
#define CLSECURE_BYPATH_H

#include "lib/base/registry.h"

/* `held`: the registry's lock, or NULL.  -ENOENT: there is no registry. */
int bypath_open(const struct registry *held, int *ret_dir, struct error *e);

/* The project that is said to have exactly this path; -ENOENT. */
int bypath_get(int dir, const char *path, char ret_slug[static SLUG_MAX + 1]);

/*
 * Both under the lock, and durable.  A link that is another project's is not dropped; path "/":
 * whatever path the project had.
 */
int bypath_put(int dir, const char *slug, uid_t owner, const char *path, struct error *e);
int bypath_drop(int dir, const char *slug, const char *path, struct error *e);

/* Calls f for each, until it returns other than 0, which is then the result. */
struct bypath {
	const char *slug;
	uid_t owner;
	const char *path; /* of a very long one, a directory above it */
};
int bypath_each(int dir, int (*f)(const struct bypath *b, void *userdata), void *userdata);

/* For setup: makes what is missing.  Takes the lock. */
int bypath_mend(struct error *e);

#endif
