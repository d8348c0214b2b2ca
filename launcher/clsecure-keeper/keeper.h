/*
 * clsecure-keeper SLUG: builds one sandbox from one policy, hands out the way in, watches who holds
 * it, ends it after the last, cleans up.  Root, on the host; started as lib/sandbox/spawn.h says.
 */
#ifndef CLSECURE_KEEPER_H
#define CLSECURE_KEEPER_H

#include "launcher/clsecure-keeper/bus.h"
#include "launcher/clsecure-keeper/egress.h"
#include "lib/policy/policy.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/protocol.h"

struct session {
	uint32_t id;
	bool ready; /* it said that it is inside */
	int pidfd; /* of the holder */
	pid_t holder;
	int program; /* pidfd of what the holder stands for, or -1 */
	uint64_t since; /* seconds since the epoch */
	struct keeper_request who;
};

struct connection {
	int fd;
	uint64_t since; /* now_ms() */
	bool reserved;
	bool asked; /* more than KEEPER_COUNT, KEEPER_HERE: no caller that is about to enter */
	uint32_t session; /* it entered with; 0: none */
	bool reached; /* KEEPER_REACHED waits for clsecure-egress */
	uint64_t reached_from;
};

struct keeper {
	const char *slug;
	char **overrides; /* NULL-terminated */
	char *overrides_data;
	size_t overrides_size;
	struct policy *policy;
	uid_t worker;
	int lock, listener;
	int filter; /* memfd */
	char *before; /* records of look.h, as the sandbox began */
	size_t before_size;
	/* for inside: PATH; /etc/gitconfig; Claude Code's program or NULL */
	char *path, *gitconfig, *claude;
	char **variables; /* NAME=VALUE of toolchains; NULL-terminated or NULL */
	bool forward_dns; /* pasta has to */
	bool after_crash; /* the keeper before this one was killed */
	char scope[SCOPE_NAME_MAX]; /* of this process, as systemd was asked for it; "": was not */
	int network; /* pasta's guard ends when this closes; -1: there is none */
	struct egress egress; /* .used with Network=filtered */
	struct built sandbox;
	struct session *sessions;
	size_t n_sessions;
	struct connection *connections;
	size_t n_connections;
	uint32_t last_id;
	uint64_t idle_since; /* now_ms() of the end of the last session, or of the start */
};

/*
 * The first act.  Nothing of the login that started this process is kept: ids, groups, session,
 * limits, scheduling, oom score, signals, umask, directory, environment, keyring, descriptors (but
 * 0 and 1), namespaces.
 */
int become_independent(struct error *e);

/* RUNDIR/SLUG, its lock and its socket.  -EEXIST: another keeper has the lock. */
int claim(struct keeper *k, struct error *e);
void unclaim(struct keeper *k);

/* Policy, trees, plan, filter, and the sandbox itself. */
int prepare_and_build(struct keeper *k, struct error *e);

/* Until the sandbox has to end.  The reason is for the log. */
const char *serve(struct keeper *k);

/* sessions.c */

/* `clsecure set` counts at once; where the files cannot be read, what they said before. */
void refresh(struct keeper *k);

int session_enter(struct keeper *k, struct connection *c, const struct keeper_request *q,
	struct keeper_reply *r, struct error *e);
/* *ret_logind: what the caller has to hold as long as it lives (scope_of_session), or -1. */
int session_place(struct keeper *k, struct connection *c, int *ret_logind, struct error *e);
int session_ready(struct keeper *k, struct connection *c, struct error *e);
/* 0: pidfd is the session's now. */
int session_program(struct keeper *k, struct connection *c, int pidfd, struct error *e);
void session_end(struct keeper *k, size_t i);
struct session *session_find(struct keeper *k, uint32_t id);
/*
 * Only then is .holder its pid.  To be asked before each use: what came first in the same turn may
 * have waited for the bus.
 */
bool session_holder_lives(const struct session *s);
int session_kill(struct keeper *k, uint32_t id, struct error *e);

/*
 * Under systemd, out of the scope of the login that started this; else nothing.  After claim(),
 * after the build.
 */
void scope_of_keeper(struct keeper *k);
void scope_of_sandbox(const struct keeper *k);
/*
 * A process that died before systemd had taken it in leaves a scope that it never sees become
 * empty.  So that of PID 1 is ended by name, and a keeper that gives up waits to be taken in.
 */
void scope_of_sandbox_end(const struct keeper *k, pid_t pid);
void scope_of_keeper_end(const struct keeper *k);

/*
 * For a caller that is in no session of logind's: makes one, which lives as long as the descriptor
 * that it returns, or -1.
 */
int scope_of_session(const struct keeper *k, const struct session *s);

/*
 * A socket that connects to a port of the sandbox's loopback.  -ENOTRECOVERABLE:
 * this process is not where it was, and has to end.
 */
int dial(const struct keeper *k, uint32_t port, bool ipv6, int *ret_fd, struct error *e);

/* After the end: what in the project will run on the host and was not there before, as findings. */
void findings_compare(struct keeper *k);

/*
 * The rlimits of the policy, for a process that enters: it sets them, what it forks inherits them.
 */
void limits_tell(const struct policy *p, struct keeper_reply *r);

/*
 * Lines of root's programs inside to the host's log; `left` is the number still allowed in this
 * second.
 */
void log_forward(int fd, const char *slug, unsigned *left);

#endif
