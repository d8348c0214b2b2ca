/*
 * libnss_clsecure.so.2, inside: how a record becomes an answer.
 *
 * This code runs in every process of the host that asks for a user, setuid programs, threads and
 * forked children included.  It uses the caller's buffer and the stack, nothing else; it holds no
 * descriptor and no lock; it leaves errno as it was but for what `errnop` is to say.  A name or a
 * uid that cannot be ours costs no system call, one of ours at most two.
 */
#ifndef CLSECURE_NSS_LOOKUP_H
#define CLSECURE_NSS_LOOKUP_H

#include <nss.h>

#include "lib/base/record.h"

#ifdef NSS_TEST_ROOT /* unit tests and fuzzers look below a directory of their own */
extern char nss_test_root[];
#define NSS_ROOT nss_test_root
#else
#define NSS_ROOT REGISTRY_ARMED
#endif

/* Room in the caller's buffer. */
struct space {
	char *next;
	size_t left;
};

/*
 * Puts the record into a struct passwd, group or spwd and its words into the space; false when that
 * is too small.  What it leaves in `result` then does not count.
 */
typedef bool (*fill_fn)(const struct record *record, void *result, struct space *space);

enum nss_status nss_by_name(const char *name, fill_fn fill, void *result, char *buf, size_t size,
			    int *errnop);
enum nss_status nss_by_id(uid_t id, fill_fn fill, void *result, char *buf, size_t size,
	int *errnop);

/*
 * The next of an enumeration, whose whole state is the uid that it gave last.  Threads that share
 * it share the records; one that was killed or forked in here leaves nothing to mend.
 */
enum nss_status nss_next(_Atomic uid_t *cursor, fill_fn fill, void *result, char *buf, size_t size,
			 int *errnop);

/* a and b in one string, or NULL. */
char *space_put(struct space *space, const char *a, const char *b);

/* A list of strings that is empty, aligned, or NULL. */
char **space_put_empty_list(struct space *space);

#endif
