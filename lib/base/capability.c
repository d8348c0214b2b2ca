#include "config.h"
#include "lib/base/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>

#define NUMBERS 64 /* of the kernel's own type for sets */

/* Not until the first refusal: one that is not the end of the list would leave the rest. */
int capability_bounds_drop(void)
{
	for (unsigned long c = 0; c < NUMBERS; c++)
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0 &&
			(errno != EINVAL || c <= CAP_CHECKPOINT_RESTORE))
			return -errno;
	return 0;
}
