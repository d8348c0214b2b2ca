/* forward: ports inside, reachable on the host's loopback until this ends. */
#include "config.h"
#include "launcher/clsecure/ask.h"
#include "launcher/clsecure/pump.h"
#include "launcher/clsecure/words.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define PORTS_MAX 16

struct forward {
	uint16_t inside, host;
	int listener, listener6; /* 6: -1 where there is no IPv6 */
};

static bool port_parse(const char *text, uint16_t *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || n == 0 || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* PORT or PORT:HOSTPORT */
static bool forward_parse(const char *text, struct forward *f)
{
	const char *colon = strchr(text, ':');
	_cleanup_free_ char *inside = strndup(text, strcspn(text, ":"));

	return inside && port_parse(inside, &f->inside) &&
		port_parse(colon ? colon + 1 : text, &f->host);
}

static int listen_at(const struct sockaddr *a, socklen_t size, int *ret_fd)
{
	_cleanup_close_ int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		(a->sa_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
		bind(fd, a, size) < 0 || listen(fd, 64) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int forward_listen(struct forward *f)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(f->host),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(f->host),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int err = listen_at((struct sockaddr *)&a, sizeof(a), &f->listener);

	f->listener6 = -1;
	if (err == 0)
		(void)listen_at((struct sockaddr *)&a6, sizeof(a6), &f->listener6);
	return err;
}

static int take_descriptor(void *arg, const struct message *m)
{
	int *fd = arg;

	if (m->n_fds != 1)
		return -EPROTO;
	*fd = fcntl(m->fds[0], F_DUPFD_CLOEXEC, 3);
	return *fd < 0 ? -errno : 0;
}

static int dial(const struct cli *c, const char *word, uint16_t port, int *ret_fd)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = message_add(&q, "op", "dial") ?: message_addf(&q, "port", "%u", port);

	if (err == 0)
		err = word_add(&q, word, &a.error);
	if (err == 0)
		err = ask(c, &q, take_descriptor, ret_fd, &a);
	return err < 0 ? answer_fail(c, &a) : 0;
}

/* What one side has ended, the other is told. */
static void pass_end(struct pump *p)
{
	if (p->to >= 0 && (p->broken || (p->ended && pump_idle(p)))) {
		shutdown(p->to, SHUT_WR);
		if (p->broken)
			shutdown(p->from, SHUT_RD);
		p->to = -1;
	}
}

static void carry(int a, int b)
{
	static struct pump there, back;
	struct pollfd fds[4];

	there = (struct pump){.from = a, .to = b};
	back = (struct pump){.from = b, .to = a};
	fcntl(a, F_SETFL, O_NONBLOCK);
	fcntl(b, F_SETFL, O_NONBLOCK);
	while (there.to >= 0 || back.to >= 0) {
		pump_poll(&there, fds);
		pump_poll(&back, fds + 2);
		if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
			return;
		pump_run(&there, fds);
		pump_run(&back, fds + 2);
		pass_end(&there);
		pass_end(&back);
	}
}

/* One connection, in a process of its own. */
static void serve(const struct cli *c, const char *word, const struct forward *f, int listener)
{
	_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), inside = -1;
	pid_t parent = getpid();

	if (fd < 0 || fork() != 0)
		return;
	signal(SIGCHLD, SIG_DFL);
	/* The ports, too, are those of who forked this, until that is ended. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(1);
	if (dial(c, word, f->inside, &inside) != 0)
		_exit(1);
	carry(fd, inside);
	_exit(0);
}

static int serve_all(const struct cli *c, const char *word, const struct forward *f, size_t n)
{
	struct pollfd fds[2 * PORTS_MAX];

	signal(SIGCHLD, SIG_IGN); /* nobody asks how a connection ended */
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		for (size_t i = 0; i < n; i++) {
			fds[2 * i] = (struct pollfd){.fd = f[i].listener, .events = POLLIN};
			fds[2 * i + 1] = (struct pollfd){.fd = f[i].listener6, .events = POLLIN};
		}
		if (poll(fds, 2 * n, -1) < 0 && errno != EINTR)
			return STATUS_FAILED;
		for (size_t i = 0; i < 2 * n; i++)
			if (fds[i].fd >= 0 && fds[i].revents)
				serve(c, word, &f[i / 2], fds[i].fd);
	}
}

static int run(struct cli *c, int argc, char **argv)
{
	struct forward f[PORTS_MAX] = {0};
	size_t n = (size_t)argc - 1;

	if (n > PORTS_MAX)
		return usage_error(c, "at most %d ports", PORTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct error e = {0};
		int err = 0;

		if (!forward_parse(argv[i + 1], &f[i]))
			return usage_error(
				c, "'%s' is neither PORT nor PORT:HOSTPORT", argv[i + 1]);
		err = forward_listen(&f[i]);
		if (err < 0) {
			error_errno(&e, err, "listen on port %u of the loopback", f[i].host);
			return fail(c, &e);
		}
	}
	for (size_t i = 0; i < n; i++)
		say(c, "http://localhost:%u is port %u inside.", f[i].host, f[i].inside);
	fflush(stdout);
	return serve_all(c, argv[0], f, n);
}

const struct command command_forward = {
	.name = "forward",
	.operands = "PROJECT PORT[:HOSTPORT]...",
	.summary = "reach ports of a sandbox on this host",
	.description = "Makes each TCP port of the sandbox's loopback reachable on this host's, at\n"
		       "the same number or at HOSTPORT, until it is interrupted.",
	.examples = "  clsecure forward app 3000\n"
		    "  clsecure forward app 80:8080 5432\n",
	.min = 2,
	.max = -1,
	.operand = OPERAND_NAME,
	.run = run,
};
