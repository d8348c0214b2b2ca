/*
 * The registry's one writer: which projects have a user, and which uid it is.
 *
 *	STATE/				0755
 *	STATE/armed -> registry		NSS answers while this link is there
 *	STATE/registry/name/<user>	\ 0755; the links that record.h describes
 *	STATE/registry/uid/<uid>	/
 *	STATE/registry/map/<block>	a hint for enumeration only (record.h)
 *	STATE/projects/			0700
 *	STATE/tombstones/<uid>		0700; a removed project's uid, and whose it was
 *	STATE/registry.lock		0600
 *
 * Every change is a rename or an unlink followed by an fsync of the directory, in an order in which
 * each step leaves a registry that reads as before or as after: add makes the uid's link first and
 * the name's last, remove takes the name's first.  A writer that was killed leaves at most a uid
 * without a name, which no reader believes and the next writer takes away.
 *
 * `state` is REGISTRY_STATE, but for tests.  All of it is root's: a directory that belongs to
 * somebody else is refused.  Functions return 0 or -errno and the words of a failure in `e`, which
 * may be NULL.  They ask NSS (getpwnam_r, getgrgid_r, ...) and so may wait as long as NSS does.
 */
#ifndef CLSECURE_REGISTRY_H
#define CLSECURE_REGISTRY_H

#include "lib/base/error.h"
#include "lib/base/record.h"

#define REGISTRY_STATE CLSECURE_STATEDIR
#define REGISTRY_DIR CLSECURE_STATEDIR "/registry" /* `root` of record_by_name(), armed or not */

/*
 * The directories and the three identities that are no projects.  Idempotent; mends modes and the
 * map.  -EEXIST: a name, uid or gid of ours is somebody else's on this host.
 */
int registry_init(const char *state, struct error *e);

/*
 * The mark without which NSS answers nothing: the last step of setup, the first of unsetup.
 * Both are idempotent.  registry_armed() is 1, 0 or -errno.
 */
int registry_arm(const char *state, struct error *e);
int registry_disarm(const char *state, struct error *e);
int registry_armed(const char *state);

/* A writer's hold on the registry, with its open directories.  Keep it short: it is exclusive. */
struct registry {
	int lock, name, uid, map, tombstones;
};

/* How many uids of removed projects wait for one owner to come back to the same path. */
#define REGISTRY_GIVEN_BACK 100

#define REGISTRY_EMPTY {-1, -1, -1, -1, -1}
#define _cleanup_registry_ _cleanup_(registry_unlock)

/*
 * -ETIMEDOUT when another writer keeps it longer than ten seconds; -ENOENT before registry_init().
 */
int registry_lock(const char *state, struct registry *ret_registry, struct error *e);
void registry_unlock(struct registry *registry);

/*
 * Gives the project a user.  The uid is a hash of the slug, probed upward past uids and gids that
 * the registry or any other NSS source has, and past those of removed projects: only the same owner
 * with the same path gets such a uid again, and one who has given back REGISTRY_GIVEN_BACK of them
 * gets the first of those for any path.  The caller empties a home that is there already.
 * -EEXIST: the slug has a user; -EINVAL: no slug, a reserved one, or a path that is not absolute;
 * -EBADMSG: what stands in its place is damaged (registry_remove() mends that); -ENOSPC: no uid
 * left.
 */
int registry_add(struct registry *registry, const char *slug, uid_t owner, const char *path,
		 struct record *ret_record, struct error *e);

/*
 * Takes the user away and leaves a tombstone for `owner` and `path`; also finishes a removal that
 * was cut short, and takes away damaged links.  -ENOENT: nothing of that slug is there.
 */
int registry_remove(struct registry *registry, const char *slug, uid_t owner, const char *path,
		    struct error *e);

/*
 * Calls f for every record, identities that are no projects included (identity_of() tells), in no
 * order, until it returns other than 0, which is then the result.  Damaged records are left out.
 * Takes no lock: f may add and remove through a lock of its own.
 */
int registry_foreach(const char *state, int (*f)(const struct record *record, void *userdata),
		     void *userdata);

#endif
