#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/child.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/wire.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static pid_t clone_child(const struct build *b, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			CLONE_NEWCGROUP | (b->netns < 0 ? CLONE_NEWNET : 0),
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* Both reports of the child, in time. */
static int wait_sealed(int control, uint64_t deadline, struct built *built, struct error *e)
{
	struct built_report report;
	int fds[2] = {-1, -1};

	for (int i = 0; i < 2; i++) {
		size_t n = ELEMENTSOF(fds);
		int err = wire_receive(control, &report, sizeof(report), fds, &n, deadline);

		if (err < 0)
			return error_errno(e, err, "the builder of the sandbox did not finish");
		if (report.status < 0)
			return error_set(e, report.status, "%s", report.error.text);
		if (i == 0) {
			built->dev = fds[0];
			built->log = fds[1];
		}
	}
	return report.sealed ? 0 : error_set(e, -EPROTO, "the sandbox was not sealed");
}

static void built_endp(struct built *b)
{
	built_end(b);
}

int builder_start(const struct build *b, unsigned timeout_ms, struct built *ret_built,
	struct error *e)
{
	_cleanup_(built_endp) struct built built = BUILT_INIT;
	_cleanup_close_ int theirs = -1;
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(e, -errno, "cannot start the builder of the sandbox");
	built.control = pair[0];
	theirs = pair[1];
	err = fault("build-clone");
	if (err == 0) {
		built.pid = clone_child(b, &built.pidfd);
		err = built.pid < 0 ? -errno : 0;
	}
	if (err < 0)
		return error_errno(e, err, "cannot make the sandbox's namespaces");
	if (built.pid == 0) {
		/* PID 1 must see the keeper's end of this close. */
		close(pair[0]);
		build_child(b, theirs);
	}
	err = wait_sealed(built.control, now_ms() + timeout_ms, &built, e);
	if (err < 0)
		return err;
	*ret_built = built;
	built = (struct built)BUILT_INIT;
	return 0;
}

void built_end(struct built *b)
{
	if (b->pidfd >= 0) {
		syscall(SYS_pidfd_send_signal, b->pidfd, SIGKILL, NULL, 0);
		waitpid(b->pid, NULL, WNOHANG);
	}
	closep(&b->pidfd);
	closep(&b->control);
	closep(&b->dev);
	closep(&b->log);
	*b = (struct built)BUILT_INIT;
}
