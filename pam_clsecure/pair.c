#include "config.h"
#include "pam_clsecure/pair.h"
#include "lib/base/macros.h"
#include "lib/sandbox/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#define FDS_LAST 255 /* where programs keep the ptys that they made */

/* Of both ends the slave's number; 0: no terminal. */
static unsigned device_of(int fd)
{
	unsigned device = 0;

	return ioctl(fd, TIOCGDEV, &device) == 0 ? device : 0;
}

static bool is_master(int fd)
{
	unsigned number;

	return ioctl(fd, TIOCGPTN, &number) == 0;
}

/* The end of `device` that is, or is not, the master; -1. */
static int find_end(unsigned device, bool master)
{
	for (int fd = 3; fd <= FDS_LAST; fd++)
		if (device_of(fd) == device && is_master(fd) == master)
			return fd;
	return -1;
}

void pair_find(struct pair *p, const char *service)
{
	if (!streq(service, "sudo") && !streq(service, "sudo-i"))
		return;
	for (int fd = 3; fd <= FDS_LAST; fd++) {
		unsigned device = is_master(fd) ? device_of(fd) : 0;

		if (device != 0 && find_end(device, false) >= 0) {
			p->device = device;
			return;
		}
	}
}

static int copy_settings(int from, int to)
{
	struct winsize size;
	struct termios t;

	if (tcgetattr(from, &t) < 0 || tcsetattr(to, TCSANOW, &t) < 0 ||
	    ioctl(from, TIOCGWINSZ, &size) < 0 || ioctl(to, TIOCSWINSZ, &size) < 0)
		return -errno;
	return 0;
}

int pair_prepare(struct pair *p, int dev, uid_t worker, struct error *e)
{
	int theirs = find_end(p->device, false);
	int err = sandbox_pty(dev, worker, &p->master, &p->slave, e);

	if (err < 0)
		return err;
	err = copy_settings(theirs, p->slave);
	return err < 0 ? error_errno(e, err, "cannot prepare a terminal of the sandbox") : 0;
}

static int put_over(int fd, int end)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(end, F_SETFL, flags) < 0 || dup3(end, fd, O_CLOEXEC) < 0)
		return -errno;
	return 0;
}

static int swap_ends(struct pair *p, bool master)
{
	int end = master ? p->master : p->slave, err = 0;

	for (int fd = 3; fd <= FDS_LAST && err == 0; fd++)
		if (fd != end && device_of(fd) == p->device && is_master(fd) == master)
			err = put_over(fd, end);
	return err;
}

int pair_swap(struct pair *p, struct error *e)
{
	/* The slaves first: with the last master gone they would be no terminals any more. */
	int err = swap_ends(p, false);

	if (err == 0)
		err = swap_ends(p, true);
	if (err < 0)
		return error_errno(e, err, "cannot replace the terminal");
	pair_forget(p);
	return 0;
}

void pair_forget(struct pair *p)
{
	closep(&p->master);
	closep(&p->slave);
	*p = (struct pair)PAIR_INIT;
}
