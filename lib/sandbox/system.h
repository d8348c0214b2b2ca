/* Directories of the host that hold programs: every sandbox shows them as they are. */
#ifndef CLSECURE_SYSTEM_H
#define CLSECURE_SYSTEM_H

#include <stdbool.h>

extern const char *const system_dirs[]; /* NULL-terminated */

/* Is the path one of them, or below one? */
bool system_has(const char *path);

#endif
