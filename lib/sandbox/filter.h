/*
 * The filter of system calls: one table, in filter-make.c, compiled when clsecure is built.
 *
 * The program loads under no_new_privs or root, in a login that is still root (it leaves what sshd,
 * su and login need to become the worker) as well as in the worker's processes.  Known calls are
 * allowed, unknown ones are ENOSYS so that programs fall back, dangerous ones EPERM.  Only the
 * native ABI.
 */
#ifndef CLSECURE_FILTER_H
#define CLSECURE_FILTER_H

#include <linux/filter.h>

#include "lib/base/error.h"

struct filter_options {
	/* ptrace(2), process_vm_*(2): within the sandbox only, by its PID namespace */
	bool allow_ptrace;
};

/* ret_fd: a sealed memfd of struct sock_filter. */
int filter_open(const struct filter_options *o, int *ret_fd, struct error *e);

#endif
