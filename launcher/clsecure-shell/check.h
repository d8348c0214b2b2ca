/* Is this process in a sandbox, and without any privilege?  If not, nothing may run. */
#ifndef CLSECURE_SHELL_CHECK_H
#define CLSECURE_SHELL_CHECK_H

#include "launcher/clsecure-shell/inside.h"

/* 0, or -EPERM with the words for the first thing that is not as it must be. */
int check_privileges(struct error *e);

/* That this process stands in the namespaces which root wrote down for this sandbox. */
int check_namespaces(const struct inside *in, struct error *e);

#endif
