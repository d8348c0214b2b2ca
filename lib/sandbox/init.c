/*
 * PID 1 of a sandbox: root's uid without a capability, not to be traced, filtered, with one
 * descriptor. It reaps what is orphaned inside, and ends on SIGTERM or when the keeper has gone;
 * with it ends all.
 */
#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/wire.h"
#include "lib/base/capability.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int capabilities_drop(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {0};

	int err = capability_bounds_drop();

	if (err < 0)
		return err;
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

static int filter_apply(int fd)
{
	struct sock_fprog program;
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return -errno;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	program.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	program.filter = p;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

/* All descriptors but `control`, which becomes 0. */
static int descriptors_close(int *control)
{
	if (dup3(*control, 0, O_CLOEXEC) < 0)
		return -errno;
	*control = 0;
	return close_range(1, ~0U, 0) < 0 ? -errno : 0;
}

static int seal(int *control, int filter)
{
	int err = fault("seal") ?: capabilities_drop();

	/* A change of credentials resets both. */
	if (err == 0 &&
		(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
			prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		err = -errno;
	if (err == 0)
		err = filter_apply(filter);
	return err < 0 ? err : descriptors_close(control);
}

static void on_term(int sig)
{
	_exit(0);
}

static void on_child(int sig)
{
}

_Noreturn void init_run(int control, int filter, const void *report, size_t size)
{
	struct sigaction term = {.sa_handler = on_term}, child = {.sa_handler = on_child};
	sigset_t children, none;

	sigemptyset(&none);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGCHLD, &child, NULL);
	sigprocmask(SIG_SETMASK, &children, NULL);
	if (seal(&control, filter) < 0 || wire_send(control, report, size, NULL, 0) < 0)
		_exit(1);
	for (;;) {
		struct pollfd p = {.fd = control, .events = POLLIN};

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		/* The keeper says nothing: what wakes this is its end. */
		if (ppoll(&p, 1, NULL, &none) > 0)
			_exit(0);
	}
}
