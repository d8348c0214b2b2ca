/*
 * The side of the keeper's callers: find or start the keeper of a project, and enter its sandbox.
 * Used by the PAM module inside sshd, su, login, …: nothing here exits, prints, logs, allocates
 * what it does not free, changes a signal, or waits past its deadline.
 */
#ifndef CLSECURE_CLIENT_H
#define CLSECURE_CLIENT_H

#include <linux/filter.h>

#include "lib/sandbox/protocol.h"

/* What a caller holds between prepare and leave. */
struct sandbox {
	int conn; /* to the keeper */
	int pidfd; /* of PID 1 */
	int dev; /* O_PATH of the sandbox's /dev, for its ptmx */
	int logind; /* a session of logind's lives as long as this, or -1 */
	struct sock_filter *filter; /* mapped, read-only */
	size_t filter_size; /* bytes */
	uint32_t session;
	uint64_t deadline; /* now_ms(): of the whole of the opening */
	uint64_t limits[KEEPER_LIMITS];
};
#define SANDBOX_INIT {.conn = -1, .pidfd = -1, .dev = -1, .logind = -1}

/*
 * Connects to the keeper of `slug`, or execs CLSECURE_LIBEXECDIR/clsecure-keeper and connects then.
 * A keeper that dies while being asked is replaced once more.  `overrides`: KEY=VALUE for a sandbox
 * that is made now (NULL-terminated or NULL); -EBUSY when one already runs with other values. The
 * child is made by a double fork without exit signal: the caller never has a child to reap.
 * -ETIMEDOUT after timeout_ms, whatever is waited for.
 */
int keeper_connect(const char *slug, bool start, char *const *overrides, unsigned timeout_ms,
	int *ret_conn, struct error *e);

/* One request, one reply, within timeout_ms; fds may be NULL. */
int keeper_call(int conn, const struct keeper_request *q, struct keeper_reply *ret_reply,
	int *ret_fds, size_t *n_fds, unsigned timeout_ms, struct error *e);

/* The same with a descriptor to the request. */
int keeper_give(int conn, const struct keeper_request *q, int fd, unsigned timeout_ms,
	struct error *e);

/*
 * Everything that can fail and be undone: afterwards only sandbox_enter() is left.  Both together
 * wait for the keeper no longer than KEEPER_WAIT_MS from here on.
 */
int sandbox_prepare(const char *slug, const struct keeper_request *who, struct sandbox *ret_sandbox,
	struct error *e);

/*
 * The point of no return: a place in logind's sight (PLACE), namespaces of PID 1 (mnt, pid, net,
 * ipc, uts; one setns), a fresh cgroup namespace, cwd "/", umask kept, the session's limits, empty
 * bounding and ambient set, no_new_privs, the filter, every descriptor from 3 up close-on-exec.
 * After a failure the caller is not usable for anything but refusing.  READY is sent last.
 */
int sandbox_enter(struct sandbox *s, struct error *e);

/*
 * Tells the keeper (LEAVE) and lets go of everything but .logind, which stays open as after
 * pam_systemd: this process ends before its session of logind's does, since with
 * KillUserProcesses= that end would kill it.  Never waits for PID 1.
 */
void sandbox_leave(struct sandbox *s);

/* Lets go without LEAVE: in a forked child, which is not the holder. */
void sandbox_forget(struct sandbox *s);

/* A pty of the sandbox, made from outside or inside by s->dev; the slave belongs to the worker. */
int sandbox_pty(int dev, uid_t worker, int *ret_master, int *ret_slave, struct error *e);

/*
 * Tests only (configure --enable-fault-injection): fail at the named step when
 * CLSECURE_STATEDIR/fault (root's) names it.
 */
int fault(const char *step);

#endif
