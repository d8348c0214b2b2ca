/* A connection to a port inside, made in the sandbox's network and handed out: clsecure forward. */
#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

/* It goes on connecting: the keeper waits for nobody inside. */
static int connect_to(const struct sockaddr *a, socklen_t size, int *ret_fd)
{
	_cleanup_close_ int fd =
		socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, a, size) < 0 && errno != EINPROGRESS))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int connect_inside(uint16_t port, bool ipv6, int *ret_fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};

	return ipv6 ? connect_to((struct sockaddr *)&a6, sizeof(a6), ret_fd)
		    : connect_to((struct sockaddr *)&a, sizeof(a), ret_fd);
}

int dial(const struct keeper *k, uint32_t port, bool ipv6, int *ret_fd, struct error *e)
{
	_cleanup_close_ int host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd = -1;
	int err;

	if (port == 0 || port > UINT16_MAX)
		return error_set(e, -EINVAL, "%u is no port", port);
	if (host < 0 || setns(k->sandbox.pidfd, CLONE_NEWNET) < 0)
		return error_errno(e, -errno, "enter the sandbox's network");
	err = connect_inside((uint16_t)port, ipv6, &fd);
	if (setns(host, CLONE_NEWNET) < 0)
		return error_set(e, -ENOTRECOVERABLE, "cannot come back from the sandbox's network");
	if (err < 0)
		return error_errno(e, err, "port %u inside", port);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
