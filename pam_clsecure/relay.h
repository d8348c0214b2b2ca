/*
 * The module's side of clsecure-relay, the process outside that stands between the caller's
 * terminal and the sandbox's.
 */
#ifndef CLSECURE_PAM_RELAY_H
#define CLSECURE_PAM_RELAY_H

#include "lib/base/error.h"
#include "launcher/clsecure-relay/protocol.h"

#define RELAY_WAIT_MS 2000

/*
 * Execs the relay, outside, with ids 0 and nothing of the caller's.  No child to reap, no signal.
 */
int relay_start(unsigned mask, int outer, int *ret_control, struct error *e);

int relay_ready(int control, unsigned mask, int master, struct error *e);
int relay_go(int control, bool leader, struct error *e);

/*
 * Puts the caller's own descriptors back over those of `mask`; a relay that is dead costs no time.
 */
void relay_close(int control, unsigned mask);

#endif
