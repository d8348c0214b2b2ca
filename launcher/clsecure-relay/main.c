/*
 * clsecure-relay: stands outside a sandbox between the terminal from which su, runuser or login was
 * called and the pty of the sandbox that took its place.
 *
 * Nothing inside ever holds the host's terminal, so nothing inside can read what is typed after the
 * session, or push characters into it.  Started by the PAM module with the ids of root and nothing
 * of its caller's but the descriptors of protocol.h; lives as long as the session, and no longer
 * than its caller.
 */
#include "config.h"
#include "launcher/clsecure-relay/copy.h"
#include "launcher/clsecure-relay/outer.h"
#include "launcher/clsecure-relay/protocol.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

struct relay {
	struct outer outer;
	struct copy copy;
	int fds[RELAY_FDS_MAX]; /* the master, then the caller's own descriptors */
	size_t n_fds;
	bool leader;
};

union rights {
	char buf[CMSG_SPACE(sizeof(int) * RELAY_FDS_MAX)];
	struct cmsghdr align;
};

/*
 * The end of the session is told by the caller, or by its end: not by ^C, nor by a terminal that
 * went away.  A read that comes too late, when the terminal is somebody else's, fails: it must not
 * stop this, to go on as if it were still ours.
 */
static void set_signals(void)
{
	static const int ignored[] = {
		SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGPIPE};
	sigset_t mask;

	for (int sig = 1; sig < SIGRTMIN; sig++)
		signal(sig, SIG_DFL);
	for (size_t i = 0; i < ELEMENTSOF(ignored); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&mask);
	sigaddset(&mask, SIGWINCH);
	sigaddset(&mask, SIGCONT);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* 0 when there is a message, -errno when there is or will be none. */
static int receive(struct relay *r, struct relay_message *m)
{
	union rights c = {{0}};
	struct iovec iov = {.iov_base = m, .iov_len = sizeof(*m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf,
		.msg_controllen = sizeof(c.buf)};
	ssize_t n;

	do
		n = recvmsg(RELAY_FD_CONTROL, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*m))
		return n < 0 ? -errno : -EPIPE;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&h); cm; cm = CMSG_NXTHDR(&h, cm))
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS && r->n_fds == 0) {
			r->n_fds = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(r->fds, CMSG_DATA(cm), r->n_fds * sizeof(int));
		}
	return 0;
}

static void answer(int status, const int *fds, size_t n)
{
	struct relay_message m = {.status = status};
	union rights c = {{0}};
	struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > 0) {
		struct cmsghdr *cm;

		h.msg_control = c.buf;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * n);
	}
	while (sendmsg(RELAY_FD_CONTROL, &h, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static int get_ready(struct relay *r, const char *mode)
{
	int flags, err;

	if (r->n_fds < 2)
		return -EPROTO;
	err = outer_open(&r->outer, RELAY_FD_TTY, !streq(mode, RELAY_OUTPUT),
		streq(mode, RELAY_INPUT));
	if (err < 0)
		return err;
	flags = fcntl(r->fds[0], F_GETFL);
	if (flags < 0 || fcntl(r->fds[0], F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(RELAY_FD_TTY, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	outer_copy(&r->outer, r->fds[0]);
	r->copy = (struct copy){.outer = &r->outer,
		.master = r->fds[0],
		.control = RELAY_FD_CONTROL,
		.caller = RELAY_FD_CALLER};
	return 0;
}

/*
 * The caller led the terminal's session and has let go: without a leader there is no ^C and no
 * SIGWINCH.
 */
static void take_terminal(struct relay *r)
{
	if (!r->leader || setsid() < 0)
		return;
	ioctl(RELAY_FD_TTY, TIOCSCTTY, 0);
}

static void finish(struct relay *r)
{
	copy_drain(&r->copy);
	outer_restore(&r->outer);
	/* A leader that only ends hangs the terminal up for everybody. */
	if (r->leader)
		ioctl(RELAY_FD_TTY, TIOCNOTTY);
}

/* The session; what ended it is in `m`. */
static void run(struct relay *r, struct relay_message *m)
{
	r->leader = m->leader;
	take_terminal(r);
	answer(0, NULL, 0);
	if (!copy_run(&r->copy) || receive(r, m) < 0)
		m->op = 0; /* nobody is there to be answered */
	finish(r);
}

int main(int argc, char **argv)
{
	static struct relay r;
	struct relay_message m;
	int err;

	set_signals();
	if (argc != 2 || !isatty(RELAY_FD_TTY))
		return 2;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (chdir("/") < 0 || receive(&r, &m) < 0 || m.op != RELAY_READY)
		return 1;
	err = get_ready(&r, argv[1]);
	answer(err, NULL, 0);
	if (err < 0 || receive(&r, &m) < 0)
		return 1;
	if (m.op == RELAY_GO)
		run(&r, &m);
	/* Also instead of GO: a caller that cannot go on has a reason to show. */
	if (m.op == RELAY_CLOSE)
		answer(0, r.fds + 1, r.n_fds - 1);
	return 0;
}
