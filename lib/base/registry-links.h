/*
 * For the registry's writer alone: single steps on its directories, each durable when it returns.
 */
#ifndef CLSECURE_REGISTRY_LINKS_H
#define CLSECURE_REGISTRY_LINKS_H

#include <dirent.h>

#include "lib/base/registry.h"

/* No name of ours: what a killed writer left under it is in nobody's way. */
#define REGISTRY_TEMPORARY ".new"

/* The record in the link `key`: 0; -ENOENT; -EBADMSG for anything else than a good record. */
int link_read(int dir, const char *key, struct record *ret_record);

/* Puts a link there, or another in its place, in one step. */
int link_put(int dir, const char *key, const char *target);

/* Takes away what is there: link, file, FIFO, empty directory.  -ENOENT when there is nothing. */
int link_drop(int dir, const char *key);

/* The uid's key in uid/ and tombstones/. */
#define UID_KEY_MAX 11
void uid_key(uid_t uid, char buf[static UID_KEY_MAX]);

/* The uid that a key names, or 0. */
uid_t uid_of_key(const char *key);

/* Makes the map what uid/ says, block by block where it differs. */
int map_update(const struct registry *registry);

/* The directory's entries, by a descriptor of their own; NULL and errno. */
DIR *open_stream(int dir);

/* 1 when another source of NSS has that user or group, 0 when none, -errno when it cannot say. */
int nss_has_name(const char *name);
int nss_has_uid(uid_t uid);
int nss_has_gid(gid_t gid);

/* Whether the uid's link is free to be taken: 1, 0, -errno.  A uid without a name is taken away. */
int uid_link_free(const struct registry *registry, uid_t uid);

/* Tombstones: a file for each uid that was given back. */
int tombstone_put(int dir, uid_t uid, uid_t owner, const char *slug, const char *path);
int tombstone_drop(int dir, uid_t uid);
bool tombstone_there(int dir, uid_t uid);

/* The uid that this owner had with this path, the same slug's before others, else 0. */
uid_t tombstone_find(int dir, uid_t owner, const char *slug, const char *path);

/* The uid that this owner gave back first, of at least `least` of them, else 0. */
uid_t tombstone_oldest(int dir, uid_t owner, size_t least);

#endif
