/*
 * Which persons may have a key: a hint, so that a login reads the files of these and not of
 * everybody.  A wrong hint costs a look; a missing one costs the login until the index is
 * refreshed.
 *
 *	STATEDIR/keys/ (0700)/UID	fingerprints in hex, one a line
 */
#ifndef CLSECURE_KEYINDEX_H
#define CLSECURE_KEYINDEX_H

#include "launcher/clsecure-keys/keyline.h"
#include "lib/base/person.h"

#define KEYINDEX_DIR CLSECURE_STATEDIR "/keys"
#define KEYINDEX_PERSONS_MAX 64

/*
 * Reads the person's files anew.  Called by whoever has just spoken with the person: add, set,
 * list.
 */
int keyindex_person(const char *dir, const struct person *p, unsigned timeout_ms, struct error *e);

/* Forgets a person. */
int keyindex_forget(const char *dir, uid_t uid);

/* At most KEYINDEX_PERSONS_MAX uids whose entry has the fingerprint; the number, or -errno. */
int keyindex_find(const char *dir, const uint8_t fp[static FINGERPRINT_SIZE],
	uid_t ret_uids[static KEYINDEX_PERSONS_MAX]);


#endif
