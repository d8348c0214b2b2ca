/* Between the keeper's side of the builder and the child. */
#ifndef CLSECURE_CHILD_H
#define CLSECURE_CHILD_H

#include "lib/sandbox/build.h"

/* The first when all stands, with /dev and the log's socket; the second, `sealed`, from PID 1. */
struct built_report {
	int status; /* 0 or -errno */
	int sealed;
	struct error error;
};

_Noreturn void build_child(const struct build *b, int control);

#endif
