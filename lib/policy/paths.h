/*
 * Where the administrator's files and the projects are; tests link a policy_paths() of their own.
 */
#ifndef CLSECURE_PATHS_H
#define CLSECURE_PATHS_H

#include <sys/types.h>

struct policy_paths {
	const char *conf, *profiles, *projects;
	const char *domains, *own_domains; /* sets of names: the administrator's, clsecure's */
	uid_t trusted; /* whom these files must belong to */
};

const struct policy_paths *policy_paths(void);

#endif
