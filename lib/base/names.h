/*
 * Names: a project's slug, its worker's user name, and the identities that are not projects.
 *
 * slug := [a-z0-9] [a-z0-9-]*, at most 17 characters, so that "claude-worker-" + slug fits the 31
 * characters of a name in utmp(5) (ut_user holds 32).
 */
#ifndef CLSECURE_NAMES_H
#define CLSECURE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SLUG_MAX 17
#define WORKER_PREFIX "claude-worker-"
#define WORKER_NAME_MAX 31

/* The identities below the range; their uid is their gid. */
#define GATEWAY_NAME "claude"
#define GATEWAY_UID ((uid_t)CLSECURE_UID_FIRST - 1)
#define EGRESS_NAME "clsecure-egress"
#define EGRESS_UID ((uid_t)CLSECURE_UID_FIRST - 2)
#define PASTA_NAME "clsecure-pasta"
#define PASTA_UID ((uid_t)CLSECURE_UID_FIRST - 3)
/* What a person's group is mapped to in idmapped mounts; it has no name. */
#define PERSON_GID ((gid_t)CLSECURE_UID_FIRST - 4)
#define UID_RESERVED_FIRST ((uid_t)CLSECURE_UID_FIRST - 4)

enum identity {
	IDENTITY_OTHER, /* not ours */
	IDENTITY_WORKER,
	IDENTITY_GATEWAY,
	IDENTITY_EGRESS,
	IDENTITY_PASTA,
};

/* The characters and the length only. */
bool slug_valid(const char *slug);

/* A slug that would be taken for a subcommand of clsecure, now or later. */
bool slug_reserved(const char *slug);

/*
 * By the form of the name alone, without a system call; is it in the registry is another question.
 */
enum identity identity_of(const char *user);

/* The slug inside a worker's user name, or NULL when it is not one. */
const char *worker_slug(const char *user);

/* "claude-worker-<slug>" into buf. */
void worker_name(const char *slug, char buf[static WORKER_NAME_MAX + 1]);

#endif
