/* Capabilities, without a library: the modules link none. */
#ifndef CLSECURE_CAPABILITY_H
#define CLSECURE_CAPABILITY_H

/*
 * Empties the bounding set of the calling thread, which needs CAP_SETPCAP.  -errno: at least one
 * may be left.  Only numbers that Linux 5.15 does not have may be missing from this kernel.
 */
int capability_bounds_drop(void);

#endif
