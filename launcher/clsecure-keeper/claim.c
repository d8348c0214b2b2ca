#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 512

static int open_dir(const char *slug, int *ret_dir)
{
	_cleanup_close_ int dir = -1;
	struct stat st;
	char path[128];
	int err = run_path(slug, "", path, sizeof(path));

	if (err < 0)
		return err;
	if (mkdir(CLSECURE_RUNDIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0)
		return -errno;
	if (st.st_uid != 0 || (st.st_mode & 077))
		return -EPERM;
	*ret_dir = TAKE_FD(dir);
	return 0;
}

static int write_overrides(const struct keeper *k, int dir)
{
	_cleanup_close_ int fd = openat(dir, "overrides",
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, k->overrides_data, k->overrides_size);
	if (n < 0)
		return -errno;
	return n == (ssize_t)k->overrides_size ? 0 : -ENOSPC;
}

/* Listening before the sandbox stands: who comes meanwhile waits in the queue. */
static int listen_at(struct keeper *k)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = run_path(k->slug, "/keeper.sock", a.sun_path, sizeof(a.sun_path));

	if (fd < 0)
		return -errno;
	if (err < 0)
		return err;
	unlink(a.sun_path); /* of a keeper that was killed: the lock is ours */
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, BACKLOG) < 0)
		return -errno;
	k->listener = TAKE_FD(fd);
	return 0;
}

/* k->lock only when it is held: it says whose the other files are. */
static int lock_take(struct keeper *k, int dir, struct error *e)
{
	_cleanup_close_ int fd =
		openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(e, -errno, "lock of '%s'", k->slug);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return error_set(e, -EEXIST, "another keeper has '%s'", k->slug);
		return error_errno(e, -errno, "lock of '%s'", k->slug);
	}
	k->lock = TAKE_FD(fd);
	return 0;
}

int claim(struct keeper *k, struct error *e)
{
	_cleanup_close_ int dir = -1;
	int err = fault("claim") ?: open_dir(k->slug, &dir);

	if (err < 0)
		return error_errno(e, err, "directory '%s/%s'", CLSECURE_RUNDIR, k->slug);
	err = lock_take(k, dir, e);
	if (err < 0)
		return err;
	err = write_overrides(k, dir);
	if (err == 0)
		err = listen_at(k);
	if (err < 0)
		return error_errno(e, err, "socket of '%s'", k->slug);
	return 0;
}

void unclaim(struct keeper *k)
{
	char path[128];

	if (k->lock < 0)
		return;
	if (run_path(k->slug, "/keeper.sock", path, sizeof(path)) == 0)
		unlink(path);
	if (run_path(k->slug, "/overrides", path, sizeof(path)) == 0)
		unlink(path);
	if (run_path(k->slug, "/scopes", path, sizeof(path)) == 0)
		unlink(path);
	closep(&k->listener);
	k->listener = -1;
}
