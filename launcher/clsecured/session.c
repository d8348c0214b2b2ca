#include "config.h"
#include "launcher/clsecured/session.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STATUS_CANNOT 126
#define STATUS_FAILED 125

/* In the child, where nothing but stderr is left to speak through. */
static void die(int status, const char *what)
{
	dprintf(STDERR_FILENO, "clsecure: %s: %s\n", what, strerrordesc_np(errno) ?: "failed");
	_exit(status);
}

static void become(uid_t worker)
{
	const gid_t group = worker;

	if (setgroups(1, &group) < 0 || setresgid(group, group, group) < 0 ||
	    setresuid(worker, worker, worker) < 0)
		die(STATUS_FAILED, "become the project's user");
	if (setresuid(0, 0, 0) == 0 || getuid() != worker || geteuid() != worker ||
		getegid() != group) {
		errno = EPERM;
		die(STATUS_FAILED, "give up root");
	}
}

static void signals_default(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void take_streams(const struct session *s)
{
	for (int i = 0; i < 3; i++)
		if (dup2(s->fds[i], i) < 0)
			_exit(STATUS_FAILED);
	if (syscall(SYS_close_range, 3U, ~0U, 0) < 0)
		die(STATUS_FAILED, "close descriptors");
}

__attribute__((__noreturn__)) static void child(const struct session *s)
{
	signals_default();
	if (setsid() < 0)
		_exit(STATUS_FAILED);
	take_streams(s);
	if (s->terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		die(STATUS_FAILED, "take the terminal");
	umask(022);
	become(s->worker);
	if (chdir(s->directory) < 0)
		die(STATUS_FAILED, "enter the project's directory");
	execve(s->shell, s->argv, s->environment);
	die(STATUS_CANNOT, "start clsecure-shell");
	_exit(STATUS_CANNOT);
}

int session_start(const struct session *s, pid_t *ret_pid, struct error *e)
{
	pid_t pid = fork();

	if (pid == 0)
		child(s);
	if (pid < 0)
		return error_errno(e, -errno, "start a program in the sandbox");
	*ret_pid = pid;
	return 0;
}

int session_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : STATUS_FAILED;
}
