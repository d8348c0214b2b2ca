/*
 * The person's terminal and the sandbox's pty.  The terminal is raw while bytes pass, so that
 * Ctrl-C, Ctrl-Z and Ctrl-D are the sandbox's; it is put back on every way out, also when this
 * process is stopped or told to end.
 */
#include "config.h"
#include "launcher/clsecure/open.h"
#include "launcher/clsecure/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>

#define QUIET_MS 60 /* of silence after the program's end, while others still hold the pty */
#define END_MS 10000 /* for the server to clean up */
#define EOF_MS 1000 /* between one end of input that is typed and the next */

struct screen {
	const struct cli *c;
	int conn, master, out, signals;
	bool raw, tty_in;
	uint64_t eof_next; /* not before it is the end of input typed; 0: at once */
	struct termios saved;
	struct pump in, back;
	int status;
	bool exited, finished;
};

static void screen_restore(struct screen *s)
{
	if (s->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &s->saved);
	s->raw = false;
}

static void screen_raw(struct screen *s)
{
	struct termios t;

	if (!s->tty_in || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
		tcgetattr(STDIN_FILENO, &s->saved) < 0)
		return;
	t = s->saved;
	cfmakeraw(&t);
	s->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &t) == 0;
}

static void screen_size(struct screen *s)
{
	struct winsize w;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
		ioctl(s->master, TIOCSWINSZ, &w);
}

/* What a program that was killed left switched on: mouse, paste marks, hidden cursor, colours. */
static void screen_reset(const struct screen *s)
{
	static const char reset[] =
		"\033[0m\033[?25h\033[?1000l\033[?1002l\033[?1003l\033[?1004l\033[?1006l"
		"\033[?2004l\033>";

	if (s->back.escapes && isatty(STDOUT_FILENO) &&
		write(STDOUT_FILENO, reset, sizeof(reset) - 1) < 0)
		return;
}

/* A description of its own, so that the terminal's users do not find it non-blocking. */
static int own_output(void)
{
	int fd = -1;

	if (isatty(STDOUT_FILENO))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int screen_open(struct screen *s, struct error *e)
{
	sigset_t set;

	s->out = own_output();
	sigemptyset(&set);
	for (size_t i = 0; i < 7; i++)
		sigaddset(&set,
			(int[]){SIGWINCH, SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT}[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->out < 0 || s->signals < 0 || fcntl(s->master, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(e, -errno, "relay the terminal");
	s->tty_in = isatty(STDIN_FILENO);
	s->in.from = STDIN_FILENO;
	s->in.to = s->back.from = s->master;
	s->back.to = s->out;
	screen_raw(s);
	screen_size(s);
	return 0;
}

/* Stopped from outside (kill -STOP cannot be helped): cooked meanwhile. */
static void screen_stop(struct screen *s)
{
	screen_restore(s);
	kill(getpid(), SIGSTOP);
	screen_raw(s);
	screen_size(s);
}

/* -ECANCELED when told to end. */
static int take_signals(struct screen *s)
{
	struct signalfd_siginfo si;

	while (read(s->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		switch (si.ssi_signo) {
		case SIGWINCH:
			screen_size(s);
			break;
		case SIGTSTP:
			screen_stop(s);
			break;
		case SIGCONT:
			if (!s->raw)
				screen_raw(s);
			screen_size(s);
			break;
		default:
			s->status = 128 + (int)si.ssi_signo;
			return -ECANCELED;
		}
	}
	return 0;
}

static bool at_eof(const struct screen *s)
{
	return s->in.ended && pump_idle(&s->in) && !s->exited;
}

/*
 * The end of a file or pipe on stdin is typed, as a person would; again and again, since it stays
 * the end for whatever reads next, and a shell that only starts has the first one thrown away.
 */
static void send_eof(struct screen *s)
{
	struct termios t;
	char c = 4;

	if (!at_eof(s) || message_now() < s->eof_next)
		return;
	if (tcgetattr(s->master, &t) == 0)
		c = (char)t.c_cc[VEOF];
	if (write(s->master, &c, 1) < 0 && errno == EAGAIN)
		return;
	s->eof_next = message_now() + EOF_MS;
}

/* One turn.  1: done; 0: go on; -errno. */
static int turn(struct screen *s, struct answer *a)
{
	struct pollfd p[6];
	int err, n;

	pump_poll(&s->in, p);
	pump_poll(&s->back, p + 2);
	p[4] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	p[5] = (struct pollfd){.fd = s->finished ? -1 : s->conn, .events = POLLIN};
	n = poll(p, ELEMENTSOF(p), s->exited ? QUIET_MS : at_eof(s) ? EOF_MS : -1);
	if (n < 0 && errno != EINTR)
		return -errno;
	if (n == 0 && s->exited) /* silence: whoever still holds the pty says nothing */
		return 1;
	pump_run(&s->in, p);
	pump_run(&s->back, p + 2);
	send_eof(s);
	err = p[4].revents ? take_signals(s) : 0;
	if (err == 0 && p[5].revents) {
		err = take_frame(s->c, s->conn, &s->status, a);
		s->exited |= err >= 1;
		s->finished |= err == 2;
	}
	if (err < 0)
		return err;
	if (s->back.broken) {
		s->status = 128 + SIGPIPE;
		return 1;
	}
	return s->exited && s->back.ended && pump_idle(&s->back);
}

static void finish(struct screen *s, struct answer *a)
{
	screen_restore(s);
	screen_reset(s);
	/* What was typed and not read is the sandbox's, not for the person's shell. */
	if (s->tty_in)
		tcflush(STDIN_FILENO, TCIFLUSH);
	close(s->out);
	close(s->signals);
	close(s->master);
	for (uint64_t until = message_now() + END_MS; s->exited && !s->finished;) {
		struct pollfd p = {.fd = s->conn, .events = POLLIN};
		int status;

		if (message_now() >= until || poll(&p, 1, END_MS) <= 0)
			break;
		s->finished = take_frame(s->c, s->conn, &status, a) != 0;
	}
}

int relay_terminal(const struct cli *c, int conn, int master, int *ret_status, struct answer *a)
{
	static struct screen s;
	int err;

	s = (struct screen){.c = c, .conn = conn, .master = master, .out = -1, .signals = -1};
	err = screen_open(&s, &a->error);
	if (err == 0)
		while ((err = turn(&s, a)) == 0)
			;
	finish(&s, a);
	if (err == -ECANCELED)
		err = 0;
	if (err < 0)
		return err;
	*ret_status = s.status;
	return 0;
}
