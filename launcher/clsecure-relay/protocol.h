/*
 * What the PAM module and clsecure-relay say to each other: one SOCK_SEQPACKET message each way, on
 * a socket that the relay was born with.
 */
#ifndef CLSECURE_RELAY_PROTOCOL_H
#define CLSECURE_RELAY_PROTOCOL_H

#include <stdint.h>

#define RELAY_PROGRAM CLSECURE_LIBEXECDIR "/clsecure-relay"
#define RELAY_FDS_MAX 4

/* Its argument: which of the caller's standard input and output are the terminal. */
#define RELAY_BOTH "both"
#define RELAY_INPUT "input" /* and perhaps the standard error */
#define RELAY_OUTPUT "output" /* or the standard error alone */

/* What the relay is born with; 0, 1 and 2 are /dev/null. */
enum { RELAY_FD_TTY = 3, RELAY_FD_CONTROL = 4, RELAY_FD_CALLER = 5 };

enum relay_op {
	/* with the pty's master, then the caller's own descriptors of the terminal */
	RELAY_READY = 1,
	RELAY_GO, /* .leader: the terminal has lost its session, take it */
	RELAY_CLOSE, /* answered when all is drained and restored, with the caller's descriptors */
};

struct relay_message {
	uint32_t op;
	int32_t status; /* of an answer: 0 or -errno */
	uint32_t leader, reserved;
};

#endif
