#include "config.h"
#include "launcher/clsecure-relay/outer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A process of the background that sets a terminal gets SIGTTOU, unless it blocks it. */
static void set_blocked(int fd, int when, const struct termios *t)
{
	sigset_t ttou, before;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &before);
	while (tcsetattr(fd, when, t) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static bool same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag &&
		a->c_cflag == b->c_cflag;
}

/* Only if it still is as we left it: what somebody else has set since is not ours to undo. */
static void restore(int fd, struct outer_state *state)
{
	struct termios now;

	if (!state->raw)
		return;
	if (tcgetattr(fd, &now) == 0 && same(&now, &state->ours))
		set_blocked(fd, TCSAFLUSH, &state->saved);
	state->raw = false;
}

static _Noreturn void guard(struct outer *o, int end)
{
	char byte;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	close(o->alive);
	/* Of all that the relay holds, the terminal and this pipe. */
	for (int fd = 0; fd < 64; fd++)
		if (fd != o->fd && fd != end)
			close(fd);
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
	restore(o->fd, o->state);
	_exit(0);
}

int outer_open(struct outer *o, int fd, bool input, bool shared)
{
	struct outer_state *state;
	int ends[2];
	pid_t pid;

	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	if (state == MAP_FAILED || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*o = (struct outer){.fd = fd,
		.input = input,
		.shared = shared,
		.alive = ends[1],
		.state = state};
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		guard(o, ends[0]);
	close(ends[0]);
	return 0;
}

bool outer_foreground(const struct outer *o)
{
	pid_t front = tcgetpgrp(o->fd);

	return front < 0 || front == getpgrp();
}

void outer_raw(struct outer *o)
{
	struct outer_state *s = o->state;
	struct termios now;

	if (!o->input || tcgetattr(o->fd, &now) < 0)
		return;
	if (s->raw && same(&now, &s->ours))
		return;
	s->saved = now;
	cfmakeraw(&now);
	if (o->shared)
		now.c_oflag = s->saved.c_oflag;
	s->ours = now;
	s->raw = true;
	set_blocked(o->fd, TCSADRAIN, &s->ours);
}

void outer_copy_size(const struct outer *o, int master)
{
	struct winsize size;

	if (ioctl(o->fd, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

void outer_copy(const struct outer *o, int master)
{
	struct termios t;

	outer_copy_size(o, master);
	/*
	 * In the background it is as the shell's line editor has it: the pty keeps the kernel's
	 * settings.
	 */
	if (tcgetattr(outer_foreground(o) ? o->fd : master, &t) < 0)
		return;
	/* One that is not raw makes \r\n itself. */
	if (!o->input)
		t.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(master, TCSANOW, &t);
}

void outer_restore(struct outer *o)
{
	restore(o->fd, o->state);
}
