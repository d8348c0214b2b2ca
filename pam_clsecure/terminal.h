/*
 * The caller's descriptors 0, 1 and 2.  No terminal of the host enters a sandbox: where one of them
 * is a terminal, a pty of the sandbox takes its place, and clsecure-relay, outside, stands between.
 */
#ifndef CLSECURE_PAM_TERMINAL_H
#define CLSECURE_PAM_TERMINAL_H

#include <sys/types.h>

#include "lib/base/error.h"
#include "pam_clsecure/pair.h"

struct terminal {
	unsigned mask; /* bit N: descriptor N is the terminal */
	int outer; /* one of them */
	int ctty; /* /dev/tty, when the caller has a controlling terminal; until entered */
	int control; /* to the relay */
	int slave; /* of the sandbox's pty, until entered */
	bool entered;
	/* of a caller that relays by itself; then 0-2 stay, and there is no relay */
	struct pair pair;
};
#define TERMINAL_INIT {.outer = -1, .ctty = -1, .control = -1, .slave = -1, .pair = PAIR_INIT}

/*
 * Only looks.  -EPERM: what is there must not go in (a directory, O_PATH, a pty's master, two
 * terminals).
 */
int terminal_look(struct terminal *t, const char *service, struct error *e);

/*
 * Starts the relay and gives it a pty of `dev`; nothing is changed that terminal_close() does not
 * undo.
 */
int terminal_prepare(struct terminal *t, int dev, uid_t worker, struct error *e);

/*
 * After sandbox_enter(): lets go of the controlling terminal, puts the pty over 0-2, lets the relay
 * run.
 */
int terminal_enter(struct terminal *t, struct error *e);

/*
 * In the holder: output drained, the terminal as it was, 0-2 again the caller's.  At most
 * RELAY_WAIT_MS.
 */
void terminal_close(struct terminal *t);

/* In a forked child: lets go of what is a copy. */
void terminal_forget(struct terminal *t);

#endif
