#include "config.h"
#include "lib/sandbox/wire.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int) * WIRE_FDS)];
};

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int wire_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control = {0};
	ssize_t n;

	if (n_fds > WIRE_FDS)
		return -E2BIG;
	if (n_fds > 0) {
		struct cmsghdr *c;

		m.msg_control = control.buf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	do
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EMSGSIZE;
}

static int wait_readable(int fd, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = now_ms();
		int n = poll(&p, 1, now < deadline ? (int)(deadline - now) : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* The descriptors of a message, all of them, into got. */
static size_t take_fds(struct msghdr *m, int got[static WIRE_FDS])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(got, CMSG_DATA(c), n * sizeof(int));
		break; /* a message holds one such block */
	}
	return n;
}

int wire_receive(int fd, void *data, size_t size, int *fds, size_t *n_fds, uint64_t deadline)
{
	struct iovec iov = {.iov_base = data, .iov_len = size};
	union control control = {0};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
		.msg_controllen = sizeof(control.buf)};
	size_t n_got, room = n_fds ? *n_fds : 0;
	int got[WIRE_FDS];
	ssize_t n;

	do {
		int err = wait_readable(fd, deadline);

		if (err < 0)
			return err;
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	n_got = take_fds(&m, got);
	if ((size_t)n != size || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n_got > room) {
		for (size_t i = 0; i < n_got; i++)
			close(got[i]);
		return n == 0 ? -EPIPE : -EBADMSG;
	}
	if (n_got > 0)
		memcpy(fds, got, n_got * sizeof(int));
	if (n_fds)
		*n_fds = n_got;
	return 0;
}

int wire_peer_root(int fd, pid_t *ret_pid)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	if (cred.uid != 0)
		return -EPERM;
	if (ret_pid)
		*ret_pid = cred.pid;
	return 0;
}

int run_path(const char *slug, const char *suffix, char *buf, size_t size)
{
	int n = snprintf(buf, size, CLSECURE_RUNDIR "/%s%s", slug, suffix);

	if (n < 0 || (size_t)n >= size || (size_t)n >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return -ENAMETOOLONG;
	return 0;
}
