/*
 * Registry records, as NSS reads them: the target of a symbolic link, found by one readlinkat(2).
 *
 *	STATEDIR/armed -> registry		the mark without which NSS answers nothing
 *	STATEDIR/registry/name/<user>	-> "1:<user>:<uid>"
 *	STATEDIR/registry/uid/<uid>	-> "1:<user>:<uid>"
 *	STATEDIR/registry/map/<block>	-> "1:<a bit for each of RECORD_MAP_BITS uids, in hex>"
 *
 * "1" is the version of the form.  The gid is the uid, the home is /home/<user>, the shell follows
 * from the kind of name: a record holds neither path nor owner nor settings, names and uids are
 * public.  A record counts only when both links carry the same text, so that two names never share
 * a uid.  Reading needs no memory but the caller's, no descriptor, no lock: NSS links this file.
 *
 * The map is a hint that makes enumeration quick: block b holds the uids from CLSECURE_UID_FIRST +
 * b * RECORD_MAP_BITS on, four bits a digit, the lowest uid in the first digit's lowest bit.  A bit
 * without a record is nothing; the writer makes a block anew from uid/ at each change in it.
 */
#ifndef CLSECURE_RECORD_H
#define CLSECURE_RECORD_H

#include "lib/base/names.h"

#define REGISTRY_ARMED CLSECURE_STATEDIR "/armed"
#define RECORD_MAX 64 /* longest text of a record with its end: "1:" 31 ":" 10 */

struct record {
	uid_t uid; /* and gid */
	char name[WORKER_NAME_MAX + 1];
};

/* Strict: the form, the name, and that the uid belongs to this kind of name.  0, -EBADMSG. */
int record_parse(const char *text, size_t length, struct record *ret_record);

/* 0, or -EINVAL for a name or uid that record_parse() would refuse. */
int record_format(const struct record *record, char buf[static RECORD_MAX]);

/*
 * Find a record below `root` (REGISTRY_ARMED, but for tests): at most two system calls; none for a
 * name or a uid that cannot be ours.  0; -ENOENT when there is none; -EBADMSG when it is damaged;
 * else -errno of readlinkat(2).
 */
int record_by_name(const char *root, const char *name, struct record *ret_record);
int record_by_uid(const char *root, uid_t uid, struct record *ret_record);

/*
 * The good record with the lowest uid above `after` (0 begins): 0, or -ENOENT when there are no
 * more.  No state but the uid: it may be called from anywhere, and what comes and goes in between
 * is seen or not, nothing else changes.  Two system calls for each record, one for each block of
 * the map.
 */
int record_next(const char *root, uid_t after, struct record *ret_record);

#define RECORD_MAP_BITS 1024
#define RECORD_MAP_MAX (RECORD_MAP_BITS / 4 + 3) /* the text of a block with its end */

struct record_map {
	unsigned char digit[RECORD_MAP_BITS / 4];
};

void record_map_set(struct record_map *map, unsigned bit);
void record_map_format(const struct record_map *map, char buf[static RECORD_MAP_MAX]);

#endif
