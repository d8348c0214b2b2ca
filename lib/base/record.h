/*
 * Registry records, as NSS reads them: the target of a symbolic link, found by one readlinkat(2).
 *
 *	STATEDIR/armed -> registry		the mark without which NSS answers nothing
 *	STATEDIR/registry/name/<user>	-> "1:<user>:<uid>"
 *	STATEDIR/registry/uid/<uid>	-> "1:<user>:<uid>"
 *
 * "1" is the version of the form.  The gid is the uid, the home is /home/<user>, the shell follows
 * from the kind of name: a record holds neither path nor owner nor settings, names and uids are
 * public.  A record counts only when both links carry the same text, so that two names never share
 * a uid.  Reading needs no memory but the caller's, no descriptor, no lock: NSS links this file.
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

#endif
