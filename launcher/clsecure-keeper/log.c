#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"

#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>
#include <syslog.h>

#define LINE_MAX_BYTES 1024

/* "<13>Nov  1 00:00:00 sshd[3]: text": the priority, and what stands behind the date. */
static const char *parse(char *line, int *ret_priority)
{
	char *end = line;
	long pri = LOG_AUTHPRIV | LOG_INFO;

	if (line[0] == '<') {
		pri = strtol(line + 1, &end, 10);
		if (*end != '>' || pri < 0 || pri > 191)
			return line;
		end++;
	}
	/* syslog(3) writes a date of 15 characters and a blank. */
	if (strlen(end) > 16 && isalpha((unsigned char)end[0]) && end[6] == ' ' && end[15] == ' ')
		end += 16;
	*ret_priority = (int)pri;
	return end;
}

/*
 * The credentials are the kernel's: the socket's mode keeps the worker out, this keeps out what it
 * let in.
 */
static bool from_root(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			return cred.uid == 0;
		}
	return false;
}

void log_forward(int fd, const char *slug, unsigned *left)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char line[LINE_MAX_BYTES];
	int priority = LOG_AUTHPRIV | LOG_INFO;
	struct iovec iov = {.iov_base = line, .iov_len = sizeof(line) - 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const char *text;

	if (n <= 0 || !from_root(&m) || *left == 0)
		return;
	(*left)--;
	line[n] = '\0';
	text = parse(line, &priority);
	text_clean(line + (text - line));
	syslog(priority, "%s: %s", slug, text);
}
