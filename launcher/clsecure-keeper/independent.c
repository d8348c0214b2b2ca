#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/sandbox/client.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Real uid as well: a person could stop and kill what su leaves theirs. */
static int ids_reset(void)
{
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	personality(0);
	/* A session keyring of its own; a kernel without keyrings has none to keep. */
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	return 0;
}

static void signals_reset(void)
{
	struct sigaction def = {.sa_handler = SIG_DFL}, ign = {.sa_handler = SIG_IGN};
	sigset_t none;

	for (int s = 1; s < _NSIG; s++)
		/* KILL, STOP and the C library's own are refused: as they should be */
		sigaction(s, &def, NULL);
	sigaction(SIGPIPE, &ign, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * The limits of the host's PID 1: what a person lowered before su, and what sshd raised, is gone.
 */
static int limits_reset(void)
{
	for (int r = 0; r < RLIM_NLIMITS; r++) {
		struct rlimit want, have;

		if (prlimit(1, (__rlimit_resource_t)r, NULL, &want) < 0 ||
			getrlimit((__rlimit_resource_t)r, &have) < 0)
			return -errno;
		if (r == RLIMIT_NOFILE && want.rlim_max >= 65536)
			want.rlim_cur = 65536;
		if (want.rlim_cur == have.rlim_cur && want.rlim_max == have.rlim_max)
			continue;
		/* Sudo lowers it to 0, which root of a container may not raise: no dumps then. */
		if (setrlimit((__rlimit_resource_t)r, &want) < 0 &&
		    (errno != EPERM || r != RLIMIT_CORE))
			return -errno;
	}
	return 0;
}

static void write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return; /* a bonus where it may not be changed */
}

static void scheduling_reset(void)
{
	struct sched_param param = {0};
	cpu_set_t all;

	sched_setscheduler(0, SCHED_OTHER, &param);
	setpriority(PRIO_PROCESS, 0, 0);
	syscall(SYS_ioprio_set, 1, 0, 0);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	prctl(PR_SET_TIMERSLACK, 0, 0, 0, 0);
	write_text("/proc/self/oom_score_adj", "0");
}

/*
 * A root process in a container of somebody's making may be the caller: the sandbox is the host's.
 */
static int namespaces_reset(void)
{
	const int kinds = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID |
		CLONE_NEWCGROUP;
	_cleanup_close_ int host = (int)syscall(SYS_pidfd_open, 1, 0);

	if (host < 0 || setns(host, kinds) < 0)
		return -errno;
	return 0;
}

int become_independent(struct error *e)
{
	int err = fault("independent") ?: ids_reset();

	if (err == 0)
		err = limits_reset();
	if (err == 0)
		err = namespaces_reset();
	if (err < 0)
		return error_errno(e, err, "the keeper cannot become independent of its caller");
	signals_reset();
	scheduling_reset();
	umask(022);
	clearenv();
	setsid(); /* fails only where it leads its group already, as after a plain exec */
	if (chdir("/") < 0 || close_range(3, ~0U, 0) < 0)
		return error_errno(e, -errno, "the keeper cannot become independent of its caller");
	return 0;
}
