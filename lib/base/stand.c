#include "config.h"
#include "lib/base/stand.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

pid_t stand_fork(void)
{
	const struct sigaction def = {.sa_handler = SIG_DFL};
	struct sigaction chld;
	sigset_t all, before;
	pid_t child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	/* Ignored, it would reap the child unseen. */
	sigaction(SIGCHLD, &def, &chld);
	child = fork();
	if (child > 0)
		return child;
	if (child < 0)
		child = -errno;
	sigaction(SIGCHLD, &chld, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return child;
}

/* True when it ended. */
static bool child_changed(pid_t child, unsigned flags, int *status)
{
	while (waitpid(child, status, WNOHANG | (flags & STAND_STOP ? WUNTRACED : 0)) > 0) {
		if (!WIFSTOPPED(*status))
			return true;
		raise(SIGSTOP);
		kill(child, SIGCONT);
	}
	return false;
}

int stand_for(pid_t child, unsigned flags)
{
	int status;
	sigset_t all;

	sigfillset(&all);
	for (;;) {
		siginfo_t info;
		int sig = sigwaitinfo(&all, &info);

		if (sig == SIGCHLD && child_changed(child, flags, &status))
			return status;
		if (sig > 0 && sig != SIGCHLD && info.si_pid != child)
			kill(child, sig);
	}
}

_Noreturn void stand_end(int status)
{
	const struct sigaction def = {.sa_handler = SIG_DFL};
	sigset_t only;
	int sig;

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	sig = WTERMSIG(status);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the child has dumped for both */
	sigaction(sig, &def, NULL);
	sigemptyset(&only);
	sigaddset(&only, sig);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	raise(sig);
	_exit(128 + sig);
}
