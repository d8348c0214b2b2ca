/*
 * The text of the files in a sandbox's /etc that are its own.  Owned by the caller; NULL: no
 * memory.
 */
#ifndef CLSECURE_FILES_H
#define CLSECURE_FILES_H

#include "lib/sandbox/plan.h"

#define HOST_PROFILE "/etc/profile.host" /* where the host's /etc/profile is inside */

char *file_passwd(const struct plan_input *in);
char *file_group(const struct plan_input *in);
char *file_hosts(const struct plan_input *in);
char *file_hostname(const struct plan_input *in);
char *file_nsswitch(const struct plan_input *in);
char *file_profile(void);
char *file_managed_settings(const struct plan_input *in);

#endif
