/*
 * A person: who owns projects, and in whose place things are read.
 *
 * Root never opens or parses what a person or a worker can change.  as_person() runs a function in
 * a child that has that person's ids and nothing of root's, bounded in time and in what it may
 * answer.
 */
#ifndef CLSECURE_PERSON_H
#define CLSECURE_PERSON_H

#include <limits.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define PERSON_NAME_MAX 64
#define PERSON_REPLY_MAX (64 * 1024) /* bytes */
#define PERSON_REPLY_FDS 64

struct person {
	uid_t uid;
	gid_t gid;
	char name[PERSON_NAME_MAX];
	char home[PATH_MAX];
	gid_t *groups; /* all of them, gid included; owned */
	size_t n_groups;
};

/* From NSS.  0; -ENOENT: no such user; -EINVAL: one of clsecure's own identities. */
int person_by_uid(uid_t uid, struct person *ret_person, struct error *e);
int person_by_name(const char *name, struct person *ret_person, struct error *e);
/* As person_by_uid(), but asks for no groups: there are none in the result. */
int person_by_uid_alone(uid_t uid, struct person *ret_person, struct error *e);
void person_done(struct person *p);
bool person_in_group(const struct person *p, gid_t gid);

struct person_reply {
	int result; /* what the function returned: 0 or -errno */
	struct error error; /* what it set, cleaned */
	char *data; /* owned; size bytes, and a NUL after them */
	size_t size;
	int fds[PERSON_REPLY_FDS]; /* owned, close-on-exec */
	size_t n_fds;
};
void person_reply_done(struct person_reply *r);

/* In the child: what it answers.  -E2BIG past the bounds. */
struct person_out;
int person_answer(struct person_out *out, const void *data, size_t size); /* appends */
int person_answer_fd(struct person_out *out, int fd);

typedef int (*person_fn)(void *arg, struct person_out *out, struct error *e);

/*
 * Runs fn(arg) in a forked child: supplementary groups, gid, uid of the person, no capability, no
 * way back (tried), no_new_privs, dumpable off, default signals, no descriptor but the answer's and
 * `keep` (or -1), killed after timeout_ms.  The caller's SIGCHLD handling is not touched (clone
 * without exit signal, reaped by __WALL).  May be called by a multi-threaded or signal-using
 * caller: the parent changes nothing of its own.
 *
 * 0 when the child answered, whatever r->result is; -ETIMEDOUT, -EPROTO, -errno otherwise.
 */
int as_person(const struct person *p, person_fn fn, void *arg, int keep, unsigned timeout_ms,
	struct person_reply *ret_reply, struct error *e);

/*
 * For such children.  Opens an absolute path component by component rules of openat2(2):
 * RESOLVE_NO_MAGICLINKS, and RESOLVE_NO_SYMLINKS unless `links`; O_NONBLOCK | O_NOCTTY | O_CLOEXEC
 * are added; what opens is refused unless it is of the file type `type` (S_IFREG, S_IFDIR; 0:
 * either).
 */
int person_open(const char *path, int flags, mode_t type, bool links, int *ret_fd, struct error *e);

/* The whole of a regular file of at most `max` bytes, NUL after it.  Owned.  -EFBIG past it. */
int read_whole(int fd, size_t max, char **ret_data, size_t *ret_size);

#endif
