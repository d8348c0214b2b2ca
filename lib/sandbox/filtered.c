#include "config.h"
#include "lib/sandbox/filtered.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/steer.h"
#include "lib/base/macros.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define BACKLOG 4096 /* what waits while clsecure-egress is being started anew */
#define DNS_PORT 53
#define SOCKET(f, number) ((f)->sockets[(number) - EGRESS_FD_TCP])
#define LISTENER_PORT 1 /* nobody connects to it by this: what it takes is steered to it */

/*
 * An address on loopback makes its whole network local, as 127.0.0.1/8 does.  An address beside
 * 127.0.0.1 is also what getaddrinfo() wants to see before it looks for one (AI_ADDRCONFIG).
 */
static int pool_add(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct ifreq r = {.ifr_name = "lo:1"};

	if (fd < 0 || inet_pton(AF_INET, EGRESS_PROXY_ADDRESS, &a.sin_addr) != 1)
		return -errno;
	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(fd, SIOCSIFADDR, &r) < 0)
		return -errno;
	a.sin_addr.s_addr = htonl(~0U << (32 - EGRESS_POOL_PREFIX));
	memcpy(&r.ifr_netmask, &a, sizeof(a));
	return ioctl(fd, SIOCSIFNETMASK, &r) < 0 ? -errno : 0;
}

static int bound(int type, const char *address, uint16_t port, int *ret_fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	_cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &a.sin_addr) != 1 ||
		bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		(type == SOCK_STREAM && listen(fd, BACKLOG) < 0))
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* For host ports at ::1; a host without IPv6 has none. */
static int bound6(int *ret_fd)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6,
		.sin6_port = htons(LISTENER_PORT),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	_cleanup_close_ int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return errno == EADDRNOTAVAIL ? 0 : -errno;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int sockets_make(struct filtered *f)
{
	int err = bound(SOCK_STREAM, EGRESS_PROXY_ADDRESS, LISTENER_PORT,
		&SOCKET(f, EGRESS_FD_TCP));

	if (err == 0)
		err = bound(SOCK_DGRAM, EGRESS_DNS_ADDRESS, DNS_PORT,
			&SOCKET(f, EGRESS_FD_DNS_UDP));
	if (err == 0)
		err = bound(SOCK_STREAM, EGRESS_DNS_ADDRESS, DNS_PORT,
			&SOCKET(f, EGRESS_FD_DNS_TCP));
	if (err == 0)
		err = bound(SOCK_STREAM, EGRESS_PROXY_ADDRESS, EGRESS_PROXY_PORT,
			&SOCKET(f, EGRESS_FD_PROXY));
	return err < 0 ? err : bound6(&SOCKET(f, EGRESS_FD_TCP6));
}

/* In the new namespace. */
static int furnish(struct filtered *f, struct error *e)
{
	int err = network_loopback_up();

	if (err == 0)
		err = fault("filtered") ?: pool_add();
	if (err == 0)
		err = sockets_make(f);
	if (err < 0)
		return error_errno(e, err, "cannot make the sandbox's filtered network");
	f->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (f->netns < 0)
		return error_errno(e, -errno, "cannot open the sandbox's network");
	err = fault("filtered-steer")
		?: steer_attach(f->netns, SOCKET(f, EGRESS_FD_TCP), SOCKET(f, EGRESS_FD_TCP6),
			   &f->link, &f->ports);
	if (err < 0)
		return error_errno(e, err,
			"Network=filtered needs BPF programs of the type sk_lookup (Linux 5.9, "
			"CONFIG_BPF_SYSCALL and CONFIG_BPF_STREAM_PARSER, the right to load them)");
	return 0;
}

int filtered_make(struct filtered *ret_filtered, struct error *e)
{
	_cleanup_(filtered_done) struct filtered f = FILTERED_INIT;
	_cleanup_close_ int host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int err;

	if (host < 0 || unshare(CLONE_NEWNET) < 0)
		return error_errno(e, -errno, "cannot make the sandbox's network");
	err = furnish(&f, e);
	if (setns(host, CLONE_NEWNET) < 0)
		return error_errno(e, -errno, "cannot come back from the sandbox's network");
	if (err < 0)
		return err;
	*ret_filtered = f;
	f = (struct filtered)FILTERED_INIT;
	return 0;
}

int filtered_host_ports(const struct filtered *f, const uint16_t *ports, size_t n)
{
	return steer_ports(f->ports, ports, n);
}

void filtered_done(struct filtered *f)
{
	closep(&f->link);
	closep(&f->ports);
	closep(&f->netns);
	for (size_t i = 0; i < ELEMENTSOF(f->sockets); i++)
		closep(&f->sockets[i]);
	*f = (struct filtered)FILTERED_INIT;
}
