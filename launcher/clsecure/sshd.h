/* What sshd makes of its configuration with our drop-in; asked of sshd itself. */
#ifndef CLSECURE_SSHD_H
#define CLSECURE_SSHD_H

#include "lib/base/error.h"

/*
 * Asks `sshd -t`, and `sshd -T` for each of our users, about a copy of sshd_config that includes
 * `dropin` (its text; NULL: as things are on the host) first.  -EOPNOTSUPP: something of what we
 * need is not in effect, -EINVAL: sshd refuses the configuration; the words name it.
 */
int sshd_try(const char *config, const char *dropin, struct error *e);

/*
 * Makes a running sshd read its configuration again.  1: none runs, or each connection reads it
 * anyway.
 */
int sshd_reload(struct error *e);

/* The value of a keyword (lower case) in what `sshd -T` printed, into buf.  -ENOENT.  Pure. */
int sshd_effective(const char *output, const char *keyword, char *buf, size_t size);

/*
 * What is not as it must be for `user` in such an output: 0 or -EOPNOTSUPP with the words.  Pure.
 */
int sshd_judge(const char *output, const char *user, struct error *e);

#endif
