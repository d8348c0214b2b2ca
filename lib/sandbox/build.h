/*
 * The making of a sandbox: the keeper's side (builder_start) and the child that becomes its PID 1.
 *
 * The child is born in its own mount, PID, IPC, UTS and cgroup namespaces (and network namespace,
 * unless it is given one), does what the plan says, and seals itself: no capability, no_new_privs,
 * the filter, one descriptor.  From then on it reaps, and ends when the keeper does.
 */
#ifndef CLSECURE_BUILD_H
#define CLSECURE_BUILD_H

#include "lib/sandbox/plan.h"

struct build {
	const char *slug, *project;
	const struct plan *plan;
	const int *trees; /* detached mounts, as the plan numbers them */
	size_t n_trees;
	int filter; /* memfd */
	int netns; /* a network namespace to join, or -1: a new one with loopback alone */
	uid_t worker;
	const char *worker_name;
	/* entries for INSIDE_FILE (environment.h), without version and namespaces */
	const char *inside;
	size_t inside_size;
};

struct built {
	pid_t pid;
	int pidfd; /* of PID 1 */
	int control; /* PID 1 ends when this is closed */
	int dev; /* O_PATH of /dev inside */
	int log; /* datagram socket behind /dev/log */
};
#define BUILT_INIT {.pid = -1, .pidfd = -1, .control = -1, .dev = -1, .log = -1}

/* Waits at most timeout_ms for the sealed PID 1.  On failure nothing is left. */
int builder_start(const struct build *b, unsigned timeout_ms, struct built *ret_built,
	struct error *e);

/* Kills PID 1 and with it all inside; lets go of everything.  Does not wait. */
void built_end(struct built *b);

/* Contract of the parts, all in the child: */

/*
 * Does the plan's steps below the new root; `root` is its mount's descriptor.  ret_log: of
 * /dev/log.
 */
int build_steps(const struct build *b, int root, int *ret_log, struct error *e);

/* Writes INSIDE_FILE, with the namespaces of the caller, who is PID 1. */
int build_inside(const struct build *b, int root, struct error *e);

int network_loopback_up(void);

/* Brings loopback up and lets the worker ping. */
int build_network(uid_t worker, struct error *e);

/*
 * After the pivot, in a child that is the worker: dotfiles, Claude's first answers, the link to the
 * project. What fails there is left out: a full home keeps nobody from coming in and tidying it.
 * But ~/.pam_environment, which root reads inside, must be held in place.
 */
int build_home(const struct build *b, struct error *e);

/* Never returns; sends `report` when sealed. */
_Noreturn void init_run(int control, int filter, const void *report, size_t size);

#endif
