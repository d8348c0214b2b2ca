#include "config.h"
#include "pam_clsecure/relay.h"
#include "lib/base/macros.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/spawn.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

struct birth {
	int tty, control, caller, null; /* all above RELAY_FD_CALLER */
	const char *mode;
};

static int become_root(void)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 ||
	    syscall(SYS_setresuid, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int exec_relay(void *arg)
{
	const struct birth *b = arg;
	const int from[] = {b->null, b->null, b->null, b->tty, b->control, b->caller};
	char *const argv[] = {(char *)"clsecure-relay", (char *)b->mode, NULL};
	char *const envp[] = {NULL};
	int err = become_root();

	if (err < 0)
		return err;
	for (int i = 0; i < (int)ELEMENTSOF(from); i++)
		if (dup2(from[i], i) < 0)
			return -errno;
	if (close_range(RELAY_FD_CALLER + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		execve(RELAY_PROGRAM, argv, envp);
	return -errno;
}

static int raise_fd(int fd, int *ret_fd)
{
	int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, RELAY_FD_CALLER + 1);
	int err = up < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (err == 0)
		*ret_fd = up;
	return err;
}

/* A file description of its own: what the relay sets on it (O_NONBLOCK) is not the caller's. */
static int reopen(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int relay_start(unsigned mask, int outer, int *ret_control, struct error *e)
{
	_cleanup_close_ int tty = -1, theirs = -1, caller = -1, null = -1, ours = -1;
	struct birth b = {.mode = !(mask & 1) ? RELAY_OUTPUT : mask & 2 ? RELAY_BOTH : RELAY_INPUT};
	int pair[2], err = fault("pam-relay");

	if (err < 0)
		return error_errno(e, err, "cannot start %s", RELAY_PROGRAM);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(e, -errno, "cannot start %s", RELAY_PROGRAM);
	ours = pair[0];
	err = raise_fd(pair[1], &theirs);
	if (err == 0)
		err = raise_fd(reopen(outer), &tty);
	if (err == 0)
		err = raise_fd((int)syscall(SYS_pidfd_open, getpid(), 0), &caller);
	if (err == 0)
		err = raise_fd(open("/dev/null", O_RDWR | O_CLOEXEC), &null);
	if (err == 0) {
		b.tty = tty, b.control = theirs, b.caller = caller, b.null = null;
		err = spawn_orphan(exec_relay, &b);
	}
	if (err < 0)
		return error_errno(e, err, "cannot start %s", RELAY_PROGRAM);
	*ret_control = TAKE_FD(ours);
	return 0;
}

static int call(int control, const struct relay_message *m, const int *fds, size_t n,
	struct error *e)
{
	struct relay_message answer = {0};
	int err = wire_send(control, m, sizeof(*m), fds, n);

	if (err == 0)
		err = wire_receive(control, &answer, sizeof(answer), NULL, NULL,
			now_ms() + RELAY_WAIT_MS);
	if (err == 0)
		err = answer.status;
	return err < 0 ? error_errno(e, err, "the terminal's relay") : 0;
}

int relay_ready(int control, unsigned mask, int master, struct error *e)
{
	struct relay_message m = {.op = RELAY_READY};
	int fds[RELAY_FDS_MAX] = {master};
	size_t n = 1;

	for (int fd = 0; fd < 3; fd++)
		if (mask & (1U << fd))
			fds[n++] = fd;
	return call(control, &m, fds, n, e);
}

int relay_go(int control, bool leader, struct error *e)
{
	struct relay_message m = {.op = RELAY_GO, .leader = leader};
	int err = fault("pam-relay-go");

	return err < 0 ? error_errno(e, err, "the terminal's relay")
		       : call(control, &m, NULL, 0, e);
}

void relay_close(int control, unsigned mask)
{
	struct relay_message m = {.op = RELAY_CLOSE}, answer;
	size_t n = RELAY_FDS_MAX, at = 0;
	int fds[RELAY_FDS_MAX];

	if (wire_send(control, &m, sizeof(m), NULL, 0) < 0 ||
	    wire_receive(control, &answer, sizeof(answer), fds, &n, now_ms() + RELAY_WAIT_MS) < 0)
		n = 0;
	for (int fd = 0; fd < 3 && at < n; fd++)
		if (mask & (1U << fd))
			dup2(fds[at++], fd);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}
