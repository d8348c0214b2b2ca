/*
 * Starting programs from inside somebody else's process (sshd, su, cron), which never sees a child
 * of ours.
 *
 * The keeper's side of keeper_spawn(): descriptor 0 is a sealed memfd with the overrides, each
 * ended by NUL; descriptor 1 takes one struct keeper_reply, status 0 when the sandbox stands,
 * -EEXIST when another keeper has the lock, else -errno and the reason; 2 is /dev/null; its
 * environment is empty.
 */
#ifndef CLSECURE_SPAWN_H
#define CLSECURE_SPAWN_H

#include "lib/sandbox/protocol.h"

/*
 * Runs in a process that shares the caller's memory, with all signals blocked: system calls only
 * (the C library's setresuid() would signal the caller's threads).  Execs, or returns -errno.
 */
typedef int spawn_exec(void *arg);

/*
 * Returns when the program was exec'd (0) or could not be (-errno).  It is init's child, ended
 * without a signal.
 */
int spawn_orphan(spawn_exec *exec, void *arg);

#define OVERRIDES_MAX (64 * 1024) /* bytes, with their ends */

/* The overrides as one block; *ret_data owned. */
int overrides_pack(char *const *overrides, char **ret_data, size_t *ret_size);

/* 0: ret_report is the end from which the keeper's reply can be read. */
int keeper_spawn(const char *slug, const char *overrides, size_t size, int *ret_report,
	struct error *e);

#endif
