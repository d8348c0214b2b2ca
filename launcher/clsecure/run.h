/* Programs of the host that setup and doctor ask: sshd, systemctl.  Never through a shell. */
#ifndef CLSECURE_RUN_H
#define CLSECURE_RUN_H

#include "lib/base/error.h"

/*
 * Runs argv[0] (an absolute path) with a clean environment, stdin from /dev/null, for at most
 * timeout_ms.  *ret_output, owned, gets stdout and stderr together (NULL: they are dropped), at
 * most 256 KiB.  The exit status; 128 and more: a signal; -ETIMEDOUT (it was killed); -errno: it
 * could not be started.
 */
int run_program(char *const *argv, unsigned timeout_ms, char **ret_output);

#endif
