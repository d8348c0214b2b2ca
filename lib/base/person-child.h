/* The inside of as_person(): what its child is told, and the message that it answers. */
#ifndef CLSECURE_PERSON_CHILD_H
#define CLSECURE_PERSON_CHILD_H

#include "lib/base/person.h"

struct child_job {
	const struct person *person;
	person_fn fn;
	void *arg;
	int keep, sock;
	unsigned timeout_ms;
	pid_t parent; /* dies with it, unless orphan */
	bool orphan;
};

/* One SOCK_SEQPACKET message: this, the data, the descriptors. */
struct child_answer {
	int setup; /* 0, or the -errno of becoming the person: fn was not called */
	int result;
	unsigned n_fds;
	struct error error;
};

/*
 * In the child, right after fork or clone, all signals blocked.  Becomes the person or says why
 * not; fn runs only when every step was done and was seen to hold.
 */
void child_main(const struct child_job *job) __attribute__((__noreturn__));

#endif
