/* What every login relies on. */
#ifndef CLSECURE_PROGRAMS_H
#define CLSECURE_PROGRAMS_H

#include "lib/base/error.h"

/* Everything is there, and it and its folders are root's alone.  -ENOENT, -EPERM with the words. */
int programs_check(struct error *e);

#endif
