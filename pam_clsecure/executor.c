#include "config.h"
#include "pam_clsecure/executor.h"
#include "lib/base/macros.h"
#include "lib/base/stand.h"
#include "pam_clsecure/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define DELETED " (deleted)" /* what the kernel adds after an upgrade */

bool executor_calls(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *slash;
	size_t cut;

	if (n < 0)
		return false;
	path[n] = '\0';
	cut = (size_t)n > strlen(DELETED) ? (size_t)n - strlen(DELETED) : 0;
	if (cut > 0 && streq(path + cut, DELETED))
		path[cut] = '\0';
	slash = strrchr(path, '/');
	return slash && (streq(slash + 1, "systemd") || streq(slash + 1, "systemd-executor"));
}

/*
 * The child changes its uid, and with that the kernel forgets a signal for the death of this
 * process: the keeper kills it.
 */
static int tell_keeper(const struct sandbox *s, pid_t child)
{
	struct keeper_request q = {.op = KEEPER_PROGRAM, .session = s->session};
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int err = pidfd < 0 ? -errno : fault("pam-program");

	return err < 0 ? err : keeper_give(s->conn, &q, pidfd, KEEPER_WAIT_MS, NULL);
}

static int keep_only_kill(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = 1U << CAP_KILL, .permitted = 1U << CAP_KILL},
	};

	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

static int close_but(const int *keep, size_t n)
{
	unsigned from = 0;

	for (;;) {
		unsigned next = ~0U;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next == ~0U)
			return close_range(from, ~0U, 0) < 0 ? -errno : 0;
		if (next > from && close_range(from, next - 1, 0) < 0)
			return -errno;
		from = next + 1;
	}
}

/* Nothing else is held when the child goes on; where that fails the end of the pipe tells it. */
static _Noreturn void stand(const struct sandbox *s, pid_t child, int relay, int go)
{
	const int keep[] = {go, relay, s->logind};
	int err = tell_keeper(s, child), status;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "clsecure-stand");
	err = err ?: close_but(keep, ELEMENTSOF(keep)) ?: keep_only_kill();
	if (err == 0 && write(go, "", 1) < 0)
		err = -errno; /* it died: that is seen next */
	close(go);
	status = stand_for(child, 0);
	if (relay >= 0)
		relay_close(relay, 0);
	stand_end(status);
}

static int wait_for_go(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -EPIPE;
}

int executor_fork(const struct sandbox *s, int relay, struct error *e)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], err;
	pid_t child;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(e, -errno, "cannot fork into the sandbox");
	ours = pair[0];
	theirs = pair[1];
	child = stand_fork();
	if (child < 0)
		return error_errno(e, (int)child, "cannot fork into the sandbox");
	if (child > 0)
		stand(s, child, relay, theirs);
	closep(&theirs);
	theirs = -1;
	err = wait_for_go(ours);
	return err < 0 ? error_set(e, err, "the process that is to stand for this one cannot") : 0;
}
