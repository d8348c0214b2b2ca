#include "config.h"
#include "pam_clsecure/terminal.h"
#include "lib/base/macros.h"
#include "lib/base/stream.h"
#include "lib/sandbox/client.h"
#include "pam_clsecure/fork.h"
#include "pam_clsecure/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* The device behind any name of a terminal: /dev/tty, /dev/pts/3, /dev/console. */
static int terminal_device(int fd, unsigned *ret_device)
{
	unsigned device = 0;

	if (ioctl(fd, TIOCGDEV, &device) < 0)
		return -errno;
	*ret_device = device;
	return 0;
}

/*
 * What cannot be asked is not taken for something else: it would go in.  EIO: it has no other end.
 */
static int is_terminal(int fd, const struct stat *st)
{
	if (!S_ISCHR(st->st_mode))
		return 0;
	if (isatty(fd))
		return 1;
	return errno == ENOTTY || errno == EINVAL || errno == EIO ? 0 : -errno;
}

static int look_at(struct terminal *t, int fd, struct error *e)
{
	unsigned device = 0, other = 0, number;
	int flags = fcntl(fd, F_GETFL), terminal;
	struct stat st;

	if (flags < 0 && errno == EBADF)
		return 0; /* closed */
	if (flags < 0 || fstat(fd, &st) < 0)
		return error_errno(e, -errno, "descriptor %d", fd);
	if ((flags & O_PATH) || S_ISDIR(st.st_mode))
		return error_set(e, -EPERM,
			"descriptor %d is a directory: it does not go into a sandbox", fd);
	/* A ring of io_uring works for whoever made it, by memory that is shared with him. */
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode) &&
		!S_ISSOCK(st.st_mode))
		return error_set(e, -EPERM,
			"descriptor %d is of a kind that does not go into a sandbox", fd);
	if (stream_leads_out(fd))
		return error_set(e, -EPERM,
			"descriptor %d is a socket of the host's network, which does not go into a "
			"sandbox: put a pipe between",
			fd);
	terminal = is_terminal(fd, &st);
	if (terminal <= 0)
		return terminal < 0 ? error_errno(e, terminal, "descriptor %d", fd) : 0;
	if (ioctl(fd, TIOCGPTN, &number) == 0)
		return error_set(e, -EPERM, "descriptor %d is the master of a terminal", fd);
	if (terminal_device(fd, &device) < 0 ||
	    (t->mask && (terminal_device(t->outer, &other) < 0 || device != other)))
		return error_set(e, -EPERM,
			"standard input, output and error are different terminals");
	if (!t->mask)
		t->outer = fd;
	t->mask |= 1U << fd;
	return 0;
}

int terminal_look(struct terminal *t, const char *service, struct error *e)
{
	pair_find(&t->pair, service);
	for (int fd = 0; fd < 3; fd++) {
		int err = look_at(t, fd, e);

		if (err < 0)
			return err;
	}
	return 0;
}

/* What is not its controlling terminal such a caller may hand on as it is. */
static int prepare_pair(struct terminal *t, int dev, uid_t worker, struct error *e)
{
	unsigned device = 0, other = 0;

	if (t->mask && (t->ctty < 0 || terminal_device(t->ctty, &device) < 0 ||
			terminal_device(t->outer, &other) < 0 || device != other))
		return error_set(e, -EPERM,
			"standard input, output or error is another terminal than the controlling "
			"one");
	return pair_prepare(&t->pair, dev, worker, e);
}

int terminal_prepare(struct terminal *t, int dev, uid_t worker, struct error *e)
{
	_cleanup_close_ int master = -1, slave = -1;
	int err = fault("pam-terminal");

	if (err < 0)
		return error_errno(e, err, "the terminal");
	/* Also without a terminal on 0-2 the children could open it by this name. */
	t->ctty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (t->ctty < 0 && errno != ENXIO) /* which alone means that there is none */
		return error_errno(e, -errno, "the controlling terminal");
	if (t->pair.device)
		return prepare_pair(t, dev, worker, e);
	if (!t->mask)
		return 0;
	err = sandbox_pty(dev, worker, &master, &slave, e);
	if (err == 0)
		err = relay_start(t->mask, t->outer, &t->control, e);
	if (err == 0)
		err = relay_ready(t->control, t->mask, master, e);
	if (err < 0)
		return err;
	t->slave = TAKE_FD(slave);
	return 0;
}

/*
 * Whoever has a controlling terminal passes it to every child, which opens it as /dev/tty.  A
 * session leader that lets go of it sends SIGHUP and SIGCONT to the foreground, itself included.
 */
static int let_go(const struct terminal *t)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, hup, cont;
	bool leader = getsid(0) == getpid();
	int err = 0;

	if (t->ctty < 0)
		return 0;
	if (leader) {
		sigaction(SIGHUP, &ignore, &hup);
		sigaction(SIGCONT, &ignore, &cont);
	}
	if (ioctl(t->ctty, TIOCNOTTY) < 0)
		err = -errno;
	if (leader) {
		sigaction(SIGHUP, &hup, NULL);
		sigaction(SIGCONT, &cont, NULL);
	}
	return err;
}

int terminal_enter(struct terminal *t, struct error *e)
{
	bool leader = t->ctty >= 0 && getsid(0) == getpid();
	int err;

	/*
	 * Needs its controlling terminal to relay; its child leads a session on the slave before it
	 * runs anything.
	 */
	if (t->pair.device) {
		closep(&t->ctty);
		t->ctty = -1;
		return pair_swap(&t->pair, e);
	}
	err = let_go(t);
	if (err < 0)
		return error_errno(e, err, "cannot let go of the controlling terminal");
	closep(&t->ctty);
	t->ctty = -1;
	if (!t->mask)
		return 0;
	for (int fd = 0; fd < 3; fd++)
		if ((t->mask & (1U << fd)) && dup2(t->slave, fd) < 0)
			return error_errno(e, -errno, "cannot replace the terminal");
	closep(&t->slave);
	t->slave = -1;
	t->entered = true;
	fork_take_terminal(t->outer);
	return relay_go(t->control, leader, e);
}

void terminal_close(struct terminal *t)
{
	fork_take_terminal(-1);
	if (t->control >= 0)
		relay_close(t->control, t->entered ? t->mask : 0);
	terminal_forget(t);
}

void terminal_forget(struct terminal *t)
{
	pair_forget(&t->pair);
	closep(&t->ctty);
	closep(&t->control);
	closep(&t->slave);
	*t = (struct terminal)TERMINAL_INIT;
}
