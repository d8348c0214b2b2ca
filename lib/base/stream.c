#include "config.h"
#include "lib/base/stream.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static int option(int fd, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -errno : value;
}

bool stream_leads_out(int fd)
{
	struct sockaddr_un peer;
	socklen_t size = sizeof(peer);
	int family = option(fd, SO_DOMAIN), type;

	if (family == -ENOTSOCK || family == -EBADF) /* O_PATH: it only names a file */
		return false;
	type = option(fd, SO_TYPE);
	return family != AF_UNIX || (type != SOCK_STREAM && type != SOCK_SEQPACKET) ||
		getpeername(fd, (struct sockaddr *)&peer, &size) < 0;
}
