#include "config.h"
#include "launcher/clsecure-relay/copy.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#define BACKGROUND_MS 250 /* how soon it is seen that the terminal is ours again */
#define HANGUP_MS 50 /* nobody holds the other end of the pty just now */
#define QUIET_MS 20 /* silence that counts as the end of output */
#define DRAIN_STEPS 50 /* of QUIET_MS each: an upper bound, for a terminal that is stopped */

/*
 * Attributes, charset, cursor, cursor keys, mouse, focus, pasting: what a killed program leaves on.
 */
static const char soft_reset[] =
	"\033[0m\033(B\033[?25h\033[?1l\033>\033[?1000l\033[?1002l\033[?1003l\033[?1004l\033[?1006l"
	"\033[?2004l";

static bool fill(struct flow *f, int fd, int *ret_errno)
{
	ssize_t n = read(fd, f->buf, sizeof(f->buf));

	*ret_errno = n < 0 ? errno : 0;
	if (n <= 0)
		return false;
	f->start = 0;
	f->end = (size_t)n;
	return true;
}

static bool empty(const struct flow *f)
{
	return f->start == f->end;
}

/* False when the other side is gone. */
static bool flush_flow(struct flow *f, int fd)
{
	ssize_t n = write(fd, f->buf + f->start, f->end - f->start);

	if (n > 0)
		f->start += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	return true;
}

static void hang_up(struct copy *c)
{
	closep(&c->master);
	c->master = -1;
	c->in.start = c->in.end = 0;
}

static void from_sandbox(struct copy *c)
{
	int err;

	if (fill(&c->out, c->master, &err) && !c->escaped)
		c->escaped = memchr(c->out.buf, '\033', c->out.end) != NULL;
}

static void from_terminal(struct copy *c)
{
	int err;

	if (fill(&c->in, c->outer->fd, &err) || err == EAGAIN || err == EINTR)
		return;
	/* EIO also means: not in the foreground any more.  One that went away answers nothing. */
	if (err == EIO && isatty(c->outer->fd))
		return;
	hang_up(c);
}

enum { TERMINAL, MASTER, CONTROL, CALLER, N_POLL };

static void choose(const struct copy *c, bool front, struct pollfd p[N_POLL])
{
	p[TERMINAL] = (struct pollfd){.fd = c->outer->fd};
	p[MASTER] = (struct pollfd){.fd = c->master};
	p[CONTROL] = (struct pollfd){.fd = c->control, .events = POLLIN};
	p[CALLER] = (struct pollfd){.fd = c->caller, .events = POLLIN};
	if (c->outer->input && front && empty(&c->in) && c->master >= 0)
		p[TERMINAL].events |= POLLIN;
	if (!empty(&c->out))
		p[TERMINAL].events |= POLLOUT;
	if (p[TERMINAL].events == 0)
		p[TERMINAL].fd = -1;
	if (empty(&c->out))
		p[MASTER].events |= POLLIN;
	if (!empty(&c->in))
		p[MASTER].events |= POLLOUT;
}

static void move(struct copy *c, const struct pollfd p[N_POLL])
{
	if (c->master >= 0 && (p[MASTER].revents & POLLIN))
		from_sandbox(c);
	if (!empty(&c->out) && (p[TERMINAL].revents & (POLLOUT | POLLERR | POLLHUP)) &&
	    !flush_flow(&c->out, c->outer->fd))
		c->out.start = c->out.end = 0;
	if (p[TERMINAL].events & p[TERMINAL].revents & POLLIN)
		from_terminal(c);
	else if (p[TERMINAL].revents & (POLLHUP | POLLERR))
		hang_up(c);
	if (!empty(&c->in) && c->master >= 0 && (p[MASTER].revents & POLLOUT) &&
	    !flush_flow(&c->in, c->master))
		c->in.start = c->in.end = 0;
}

static volatile sig_atomic_t changed = 1;

static void on_change(int sig)
{
	changed = 1;
}

static void catch_changes(sigset_t *ret_open)
{
	struct sigaction sa = {.sa_handler = on_change};

	sigaction(SIGWINCH, &sa, NULL);
	sigaction(SIGCONT, &sa, NULL);
	sigprocmask(SIG_SETMASK, NULL, ret_open);
	sigdelset(ret_open, SIGWINCH);
	sigdelset(ret_open, SIGCONT);
}

/*
 * A caller that relays further (su --pty) leads no session of the pty: only a signal of ours tells
 * it.
 */
static void copy_size(const struct copy *c)
{
	if (c->master < 0)
		return;
	outer_copy_size(c->outer, c->master);
	syscall(SYS_pidfd_send_signal, c->caller, SIGWINCH, NULL, 0);
}

bool copy_run(struct copy *c)
{
	const struct timespec background = {.tv_nsec = BACKGROUND_MS * 1000000L};
	const struct timespec pause = {.tv_nsec = HANGUP_MS * 1000000L};
	bool was_front = false;
	sigset_t open;

	catch_changes(&open);
	for (;;) {
		struct pollfd p[N_POLL];
		bool front = outer_foreground(c->outer);

		if (front && (!was_front || changed)) {
			changed = 0;
			outer_raw(c->outer);
			copy_size(c);
		}
		was_front = front;
		choose(c, front, p);
		if (ppoll(p, N_POLL, front ? NULL : &background, &open) < 0)
			continue;
		if (p[CONTROL].revents)
			return true;
		if (p[CALLER].revents)
			return false;
		move(c, p);
		if (p[MASTER].revents == POLLHUP)
			nanosleep(&pause, NULL);
	}
}

/* Writes all of it or what the terminal takes in one step. */
static void push(struct copy *c)
{
	struct pollfd p = {.fd = c->outer->fd, .events = POLLOUT};

	if (poll(&p, 1, QUIET_MS) > 0 && !flush_flow(&c->out, c->outer->fd))
		c->out.start = c->out.end = 0;
}

void copy_drain(struct copy *c)
{
	for (int step = 0; step < DRAIN_STEPS; step++) {
		struct pollfd p = {.fd = c->master, .events = POLLIN};

		if (!empty(&c->out)) {
			push(c);
			continue;
		}
		if (c->master < 0 || poll(&p, 1, QUIET_MS) <= 0 || !(p.revents & POLLIN))
			break;
		step = step > 0 ? step - 1 : 0;
		from_sandbox(c);
		if (empty(&c->out))
			break;
	}
	if (!c->escaped || c->out.start != c->out.end)
		return;
	memcpy(c->out.buf, soft_reset, sizeof(soft_reset) - 1);
	c->out.start = 0;
	c->out.end = sizeof(soft_reset) - 1;
	push(c);
	/* An answer of the terminal that is on its way comes before the input is dropped. */
	poll(NULL, 0, QUIET_MS);
}
