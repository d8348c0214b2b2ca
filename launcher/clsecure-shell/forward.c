#include "config.h"
#include "launcher/clsecure-shell/forward.h"
#include "lib/base/stand.h"

#include <signal.h>
#include <sys/prctl.h>

bool forward_needed(void)
{
	char self[16];

	return readlink("/proc/self", self, sizeof(self)) < 0;
}

int forward_fork(struct error *e)
{
	pid_t child = stand_fork();

	if (child < 0)
		return error_errno(e, child, "cannot fork into the sandbox");
	if (child > 0)
		stand_end(stand_for(child, STAND_STOP));
	/* A door that kills its shell means what runs in it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return 0;
}
