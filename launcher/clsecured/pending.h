/*
 * add and remove change the registry and the project's directory, one after the other.  Before the
 * first change a mark is made durable, PROJECTS_DIR/.pending-SLUG, a symbolic link whose target is
 * "UID:PATH" (the owner's); it goes after the last.  Whoever holds the registry's lock next and
 * finds a mark takes away what is left: an add that was cut short never was, a remove that was is
 * finished. A project without a mark is never touched, whatever the registry looks like.  That is
 * the next who adds or removes, and whoever sees that the process was killed.
 */
#ifndef CLSECURE_PENDING_H
#define CLSECURE_PENDING_H

#include "lib/base/registry.h"

int pending_mark(const char *slug, uid_t owner, const char *path, struct error *e);
int pending_clear(const char *slug, struct error *e);

/* Under the lock. */
int pending_repair(struct registry *lock, struct error *e);

/* After somebody was killed: the same with a lock of its own, and the sweep of what was removed. */
int pending_tidy(struct error *e);

/*
 * Under the lock: takes user and state away, ends what runs.  The mark is made and cleared here.
 * Afterwards, without the lock, projects_sweep() has what is on the disk to remove.
 */
int project_remove(struct registry *lock, const char *slug, uid_t owner, const char *path,
	struct error *e);

/*
 * Under the lock, after a removal that failed: one that has changed nothing yet, as on a full disk,
 * is taken back; any other stays marked.
 */
void project_keep(const char *slug);

#endif
