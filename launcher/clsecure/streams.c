/*
 * exec: three streams.  A terminal, and a socket that leads out of the sandbox, stay outside, and
 * bytes are carried to and from a pipe; all else is passed as it is.  Signals that a person's
 * terminal makes for this process are sent on.
 */
#include "config.h"
#include "launcher/clsecure/open.h"
#include "launcher/clsecure/pump.h"
#include "lib/base/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>

#define QUIET_MS 200

static const int passed_on[] = {
	SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT};

static int make_one(int fd, int *ret_theirs, int *ret_ours, struct error *e)
{
	int pair[2], null;

	if (fcntl(fd, F_GETFD) < 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0)
			return error_errno(e, -errno, "open /dev/null");
		*ret_theirs = null;
		return 0;
	}
	if (!isatty(fd) && !stream_leads_out(fd)) {
		*ret_theirs = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return *ret_theirs < 0 ? error_errno(e, -errno, "pass descriptor %d", fd) : 0;
	}
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(e, -errno, "make a pipe");
	*ret_theirs = pair[fd == STDIN_FILENO ? 0 : 1];
	*ret_ours = pair[fd == STDIN_FILENO ? 1 : 0];
	fcntl(*ret_ours, F_SETFL, O_NONBLOCK);
	return 0;
}

int streams_make(int ret_theirs[static 3], int ret_ours[static 3], struct error *e)
{
	int err = 0;

	for (int i = 0; i < 3; i++)
		ret_theirs[i] = ret_ours[i] = -1;
	for (int i = 0; err == 0 && i < 3; i++)
		err = make_one(i, &ret_theirs[i], &ret_ours[i], e);
	return err;
}

struct streams {
	const struct cli *c;
	int conn, signals, status;
	struct pump pump[3];
	bool exited, finished;
};

static void send_signal(struct streams *s, int signal_)
{
	_cleanup_message_ struct message m = {0};

	if (message_addf(&m, "signal", "%d", signal_) == 0)
		message_send(s->conn, &m, message_now() + 1000);
}

static void take_signals(struct streams *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		send_signal(s, (int)si.ssi_signo);
		if (si.ssi_signo == SIGTSTP) {
			kill(getpid(), SIGSTOP);
			send_signal(s, SIGCONT);
		}
	}
}

/*
 * A pipe whose reader is gone, or whose end was reached, is closed: the program inside sees that.
 */
static void close_ended(struct streams *s)
{
	struct pump *in = &s->pump[0];

	if (in->to >= 0 && (in->broken || (in->ended && pump_idle(in)))) {
		close(in->to);
		in->to = in->from = -1;
	}
	for (int i = 1; i < 3; i++) {
		struct pump *out = &s->pump[i];

		if (out->from >= 0 && (out->broken || (out->ended && pump_idle(out)))) {
			close(out->from);
			out->from = -1;
		}
	}
}

static bool drained(const struct streams *s)
{
	return s->exited && s->pump[1].from < 0 && s->pump[2].from < 0;
}

static int turn(struct streams *s, struct answer *a)
{
	struct pollfd p[8];
	bool output;
	int err = 0, n;

	if (drained(s) && s->finished)
		return 1;
	for (size_t i = 0; i < 3; i++)
		pump_poll(&s->pump[i], p + 2 * i);
	p[6] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	p[7] = (struct pollfd){.fd = s->finished ? -1 : s->conn, .events = POLLIN};
	n = poll(p, ELEMENTSOF(p), s->finished ? QUIET_MS : -1);
	if (n < 0 && errno != EINTR)
		return -errno;
	output = p[2].revents || p[3].revents || p[4].revents || p[5].revents;
	if (s->finished && !output && n == 0)
		return 1;
	for (size_t i = 0; i < 3; i++)
		pump_run(&s->pump[i], p + 2 * i);
	close_ended(s);
	if (p[6].revents)
		take_signals(s);
	if (p[7].revents) {
		err = take_frame(s->c, s->conn, &s->status, a);
		s->exited |= err >= 1;
		s->finished |= err == 2;
	}
	return err < 0 ? err : 0;
}

static int open_signals(int *ret_fd, struct error *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < ELEMENTSOF(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(e, -errno, "block signals");
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_errno(e, -errno, "watch for signals");
	*ret_fd = fd;
	return 0;
}

int relay_streams(const struct cli *c, int conn, int ours[static 3], int *ret_status,
	struct answer *a)
{
	static struct streams s;
	int err;

	s = (struct streams){.c = c, .conn = conn, .signals = -1};
	for (int i = 0; i < 3; i++) {
		bool input = i == STDIN_FILENO;

		s.pump[i].from = ours[i] < 0 ? -1 : input ? i : ours[i];
		s.pump[i].to = ours[i] < 0 ? -1 : input ? ours[i] : i;
	}
	err = open_signals(&s.signals, &a->error);
	if (err == 0)
		while ((err = turn(&s, a)) == 0)
			;
	closep(&s.signals);
	if (err < 0)
		return err;
	*ret_status = s.status;
	return 0;
}
