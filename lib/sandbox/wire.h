/*
 * The keeper's socket: messages with descriptors, deadlines and the credentials of the peer.  Both
 * ends use these; nothing here blocks past its deadline or raises SIGPIPE.
 */
#ifndef CLSECURE_WIRE_H
#define CLSECURE_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define WIRE_FDS 8 /* most descriptors in one message */

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t now_ms(void);

/*
 * One whole message, with descriptors, without waiting.  0 or -errno (-EAGAIN: the peer does not
 * read).
 */
int wire_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds);

/*
 * Waits until `deadline` (now_ms) for one message of exactly `size` bytes.  Up to *n_fds
 * descriptors are put into fds, close-on-exec, and counted in *n_fds; more are closed and -EBADMSG.
 * n_fds may be NULL. -EPIPE: the peer has gone; -ETIMEDOUT.
 */
int wire_receive(int fd, void *data, size_t size, int *fds, size_t *n_fds, uint64_t deadline);

/* 0 when the process that made the peer's end runs as root; ret_pid may be NULL. */
int wire_peer_root(int fd, pid_t *ret_pid);

/* "RUNDIR/<slug><suffix>"; -ENAMETOOLONG when a socket could not be bound to it. */
int run_path(const char *slug, const char *suffix, char *buf, size_t size);

#endif
