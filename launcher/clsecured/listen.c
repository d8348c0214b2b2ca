#include "config.h"
#include "launcher/clsecured/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define BACKLOG 1024

static int check(int fd, struct error *e)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address), n = sizeof(int);
	int type = 0, listening = 0;

	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 ||
		address.sun_family != AF_UNIX ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 || type != SOCK_STREAM ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) < 0 || !listening)
		return error_set(e, -EINVAL,
			"descriptor %d is no listening stream socket (Accept=no?)", fd);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(e, -errno, "prepare the socket");
	return 0;
}

int listen_given(int *ret_fd, struct error *e)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	int err;

	if (!pid || !n || atoi(pid) != getpid())
		return -ENOENT;
	if (!streq(n, "1"))
		return error_set(e, -EINVAL, "LISTEN_FDS is '%s': one socket is wanted", n);
	err = check(FIRST_FD, e);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (err == 0)
		*ret_fd = FIRST_FD;
	return err;
}

int listen_make(const char *path, int *ret_fd, struct error *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;

	if (strlen(path) + sizeof(".new") > sizeof(address.sun_path))
		return error_set(e, -ENAMETOOLONG, "'%s' is too long for a socket", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s.new", path);
	if (mkdir(CLSECURE_RUNDIR, 0755) < 0 && errno != EEXIST)
		return error_errno(e, -errno, "make '%s'", CLSECURE_RUNDIR);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_errno(e, -errno, "make a socket");
	unlink(address.sun_path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		chmod(address.sun_path, 0666) < 0 || listen(fd, BACKLOG) < 0 ||
		rename(address.sun_path, path) < 0)
		return error_errno(e, -errno, "make the socket '%s'", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
