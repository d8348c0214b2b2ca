/* Who may enter a project, and who of them has a key. */
#ifndef CLSECURE_KEYUSERS_H
#define CLSECURE_KEYUSERS_H

#include "launcher/clsecure-keys/keyindex.h"
#include "lib/policy/policy.h"

#define KEYUSERS_MAX 64 /* persons named by one project that are looked at */

/*
 * Calls f for each person who may enter by name: the owner, AllowUsers, members that AllowGroups
 * lists; each once, at most KEYUSERS_MAX.  Stops when f returns other than 0.
 */
int keyusers_of(const struct policy *p, int (*f)(const struct person *who, void *arg), void *arg);

/* Refreshes the entries of whom one project names; what cannot be read stays as it was. */
void keyusers_project(const char *slug);

/* Refreshes the index: everybody whom a project names; -errno of the last that failed. */
int keyusers_update(struct error *e);

/*
 * The first person with this key who may enter `slug` (NULL: any project), found by the index and
 * then by the person's own file.  -EACCES: nobody.
 */
int keyusers_with_key(const uint8_t fp[static FINGERPRINT_SIZE], const char *slug,
	struct person *ret_person, struct error *e);

#endif
