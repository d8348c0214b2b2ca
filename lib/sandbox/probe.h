/* Can a directory be a project?  For `add`, before anything is written. */
#ifndef CLSECURE_PROBE_H
#define CLSECURE_PROBE_H

#include "lib/base/person.h"

/*
 * Opens `path` as the owner would at a login, and tries an idmapped mount of it, detached: nothing
 * is left.  Root only.  0; -EINVAL with the reason when its file system takes none; else -errno.
 */
int idmap_probe(const char *path, const struct person *owner, struct error *e);

#endif
