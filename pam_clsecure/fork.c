#include "config.h"
#include "pam_clsecure/fork.h"
#include "lib/base/macros.h"

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define MASTERS_LAST 255 /* where programs keep the ptys that they made */
#define EXPIRE_SECONDS 10

static struct {
	pid_t holder;
	int terminal;
	int expire;
} after_fork = {.terminal = -1};

/* A leaked master of a terminal of the host is none of this devpts. */
static bool holds_master(int terminal)
{
	struct stat ours, st;
	unsigned number;

	if (fstat(terminal, &ours) < 0)
		return true;
	for (int fd = 3; fd <= MASTERS_LAST; fd++)
		if (ioctl(fd, TIOCGPTN, &number) == 0 && fstat(fd, &st) == 0 &&
		    st.st_dev == ours.st_dev)
			return true;
	return false;
}

/* In the child of a process that may have been anywhere: system calls only. */
static void in_child(void)
{
	if (after_fork.expire)
		alarm(EXPIRE_SECONDS);
	if (after_fork.terminal < 0 || holds_master(after_fork.terminal))
		return;
	if (setsid() >= 0)
		ioctl(after_fork.terminal, TIOCSCTTY, 0);
}

/* Handlers stay (the module is linked nodelete), so there is one however often it is armed. */
static void arm(void)
{
	static bool armed;

	if (!armed)
		armed = pthread_atfork(NULL, NULL, in_child) == 0;
	after_fork.holder = getpid();
}

void fork_take_terminal(int fd)
{
	if (fd < 0 && after_fork.holder != getpid())
		return;
	after_fork.terminal = fd;
	if (fd >= 0)
		arm();
}

void fork_expire_children(void)
{
	after_fork.expire = 1;
	arm();
}
