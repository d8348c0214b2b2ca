/* The login shell of the user `claude`. */
#ifndef CLSECURE_GATEWAY_H
#define CLSECURE_GATEWAY_H

#include "lib/base/names.h"

#define GATEWAY_PROGRAM "clsecure-gateway" /* the name by which clsecure is it */

/* The exit status. */
int gateway_main(int argc, char **argv);

/*
 * What was typed behind the host: the project, and the rest, unparsed (NULL: nothing).  -ENODATA:
 * no project; -EINVAL: not the form of one.  Pure.
 */
int gateway_split(const char *typed, char ret_slug[static SLUG_MAX + 1], const char **ret_command);

#endif
