/* Terminals of a sandbox's own devpts, for those who hold its /dev. */
#include "config.h"
#include "lib/sandbox/client.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define TTY_GID 5

static int open_ptmx(int dev)
{
	struct open_how how = {
		.flags = O_RDWR | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dev, "pts/ptmx", &how, sizeof(how));

	/* Inside, the filter has no openat2: there the sandbox's own /dev is what root made it. */
	if (fd < 0 && errno == ENOSYS)
		fd = openat(dev, "pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : (int)fd;
}

int sandbox_pty(int dev, uid_t worker, int *ret_master, int *ret_slave, struct error *e)
{
	_cleanup_close_ int master = open_ptmx(dev), slave = -1;
	int unlock = 0;

	if (master < 0)
		return error_errno(e, master, "cannot open a terminal of the sandbox");
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return error_errno(e, -errno, "cannot unlock a terminal of the sandbox");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_errno(e, -errno, "cannot open the other end of a terminal");
	if (fchown(slave, worker, TTY_GID) < 0 || fchmod(slave, 0620) < 0)
		return error_errno(e, -errno, "cannot give the terminal to the worker");
	*ret_master = TAKE_FD(master);
	*ret_slave = TAKE_FD(slave);
	return 0;
}
