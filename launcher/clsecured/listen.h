/* The listening socket: systemd's (LISTEN_FDS), or one of our own. */
#ifndef CLSECURE_LISTEN_H
#define CLSECURE_LISTEN_H

#include "lib/base/error.h"

/*
 * The one that sd_listen_fds(3) describes, checked to be a listening AF_UNIX stream socket; -ENOENT
 * when none was given.
 */
int listen_given(int *ret_fd, struct error *e);

/* Makes CLSECURE_RUNDIR (0755) and the socket in it (0666), in one step as others see it. */
int listen_make(const char *path, int *ret_fd, struct error *e);

#endif
