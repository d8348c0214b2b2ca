/* What every sandbox's network namespace has: a loopback of its own. */
#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/client.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int network_loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = {.ifr_name = "lo"};

	if (fd < 0)
		return -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return -errno;
	r.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}

/* ping(8) without a capability: by the group that may open ICMP sockets. */
static int allow_ping(gid_t gid)
{
	_cleanup_close_ int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
	char text[32];
	int n = snprintf(text, sizeof(text), "%u %u\n", gid, gid);

	if (fd < 0)
		return -errno;
	return write(fd, text, (size_t)n) == n ? 0 : -errno;
}

int build_network(uid_t worker, struct error *e)
{
	int err = fault("build-network") ?: network_loopback_up();

	if (err < 0)
		return error_errno(e, err, "cannot bring the sandbox's loopback up");
	/* Where /proc/sys is read-only, as in a container, ping fails inside and nothing else does;
	 * a network namespace of another user namespace maps no worker. */
	(void)allow_ping((gid_t)worker);
	return 0;
}
