#include "config.h"
#include "launcher/clsecure-shell/forward.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

bool forward_needed(void)
{
	char self[16];

	return readlink("/proc/self", self, sizeof(self)) < 0;
}

/* Ends this process as the child ended, so that the door sees what it would have seen. */
static _Noreturn void end_as(int status)
{
	if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		sigset_t only;

		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		signal(sig, SIG_DFL);
		sigemptyset(&only);
		sigaddset(&only, sig);
		sigprocmask(SIG_UNBLOCK, &only, NULL);
		raise(sig);
		_exit(128 + sig);
	}
	_exit(WEXITSTATUS(status));
}

static void child_changed(pid_t child)
{
	int status;

	while (waitpid(child, &status, WNOHANG | WUNTRACED) > 0) {
		if (!WIFSTOPPED(status))
			end_as(status);
		raise(SIGSTOP);
		kill(child, SIGCONT);
	}
}

static _Noreturn void stand_for(pid_t child, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int sig = sigwaitinfo(all, &info);

		if (sig == SIGCHLD)
			child_changed(child);
		else if (sig > 0 && info.si_pid != child)
			kill(child, sig);
	}
}

int forward_fork(struct error *e)
{
	sigset_t all, before;
	pid_t child;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	signal(SIGCHLD, SIG_DFL);
	child = fork();
	if (child < 0) {
		int err = -errno;

		sigprocmask(SIG_SETMASK, &before, NULL);
		return error_errno(e, err, "cannot fork into the sandbox");
	}
	if (child > 0)
		stand_for(child, &all);
	/* A door that kills its shell means what runs in it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return 0;
}
