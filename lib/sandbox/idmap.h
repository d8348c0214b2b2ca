/*
 * Idmapped mounts: what the worker writes in the project is the person's on disk.
 *
 * On disk	inside
 * person	worker		never uid 0: root's files are nobody's inside, and not writable
 * worker's gid	worker's gid	so a setgid bit gives nobody the person's group
 * person's gid	PERSON_GID	a gid that nobody has
 */
#ifndef CLSECURE_IDMAP_H
#define CLSECURE_IDMAP_H

#include "lib/base/error.h"

/* A user namespace's descriptor for mount_setattr(2); it outlives the process that made it. */
int idmap_userns(uid_t person, gid_t person_gid, uid_t worker, int *ret_fd, struct error *e);

/* A detached clone of the mount under the directory or file `fd`, idmapped. */
int idmap_tree(int fd, int userns, int *ret_tree, struct error *e);

#endif
