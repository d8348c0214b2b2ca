/*
 * The keys of a person: ~/.ssh/authorized_keys, and ~/.ssh/ *.pub, which are good from this host
 * only. Read by a child with that person's ids; what StrictModes of sshd refuses is refused.
 */
#ifndef CLSECURE_KEYFILE_H
#define CLSECURE_KEYFILE_H

#include "launcher/clsecure-keys/keyline.h"
#include "lib/base/person.h"

#define PERSON_KEYS_MAX 512

/*
 * Calls f for each line of the person's that has this fingerprint; local: it is of a .pub file.
 * The lines were parsed again on root's side.  Stops when f returns other than 0.
 */
typedef int (*key_found)(const struct keyline *k, bool local, void *arg);
int person_keys_find(const struct person *p, const uint8_t fp[static FINGERPRINT_SIZE],
	unsigned timeout_ms, key_found f, void *arg, struct error *e);

/* The fingerprints of all usable keys, one after the other; owned. */
int person_keys_list(const struct person *p, unsigned timeout_ms, uint8_t **ret_fps, size_t *ret_n,
	struct error *e);

#endif
