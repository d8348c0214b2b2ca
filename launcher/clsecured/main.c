/*
 * clsecured(8): takes connections, counts them per uid, and forks one process for each.  Nothing of
 * a peer's is read here: a process that serves one peer cannot be made to serve two.
 */
#include "config.h"
#include "launcher/clsecured/listen.h"
#include "launcher/clsecured/peers.h"
#include "launcher/clsecured/pending.h"
#include "launcher/clsecured/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#define ACCEPT_PAUSE_MS 100 /* where there are no descriptors or processes left */

static struct peers peers;

/* Somebody was killed and may have left something half done: at the start, who was here before. */
static bool untidy = true;
static pid_t tidying;

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		peers_remove(&peers, pid);
		if (pid == tidying)
			tidying = 0;
		else if (WIFSIGNALED(status))
			untidy = true;
	}
}

static void become_child(int listener, int signals)
{
	sigset_t none;

	close(listener);
	close(signals);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_DUMPABLE, 0);
}

__attribute__((__noreturn__)) static void serve_peer(int conn, int listener, int signals)
{
	become_child(listener, signals);
	_exit(serve(conn));
}

static void tidy(int listener, int signals)
{
	struct error e = {0};

	if (!untidy || tidying > 0)
		return;
	untidy = false;
	tidying = fork();
	if (tidying != 0)
		return;
	become_child(listener, signals);
	if (pending_tidy(&e) < 0)
		syslog(LOG_ERR, "%s", e.text);
	_exit(0);
}

static void take(int listener, int signals, int conn)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	pid_t pid;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return;
	if (!peers_room(&peers, peer.uid))
		return;
	pid = fork();
	if (pid == 0)
		serve_peer(conn, listener, signals);
	if (pid < 0)
		syslog(LOG_ERR, "cannot fork for uid %u: %m", peer.uid);
	else
		peers_add(&peers, peer.uid, pid);
}

/* One that waits: in between, signals are looked for and what has ended makes room. */
static int take_one(int listener, int signals)
{
	_cleanup_close_ int conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (conn < 0)
		return errno == EAGAIN || errno == ECONNABORTED || errno == EINTR ? 0 : -errno;
	take(listener, signals, conn);
	return 0;
}

/* 0 after SIGTERM: sessions that are open go on. */
static int loop(int listener, int signals)
{
	struct pollfd p[2] = {
		{.fd = listener, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	int timeout = -1;

	for (;;) {
		struct signalfd_siginfo si;

		tidy(listener, signals);
		if (poll(p, 2, timeout) < 0 && errno != EINTR)
			return -errno;
		timeout = -1;
		p[0].events = POLLIN;
		while (read(signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
			if (si.ssi_signo != SIGCHLD)
				return 0;
		reap();
		if (take_one(listener, signals) < 0) {
			timeout = ACCEPT_PAUSE_MS;
			p[0].events = 0;
		}
	}
}

static int open_signals(int *ret_fd, struct error *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(e, -errno, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return error_errno(e, -errno, "watch for signals");
	*ret_fd = fd;
	return 0;
}

/* Descriptors 0, 1, 2 are never somebody's file. */
static void fill_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static int run(const char *path, struct error *e)
{
	_cleanup_close_ int listener = -1, signals = -1;
	int err = listen_given(&listener, e);

	if (err == -ENOENT)
		err = listen_make(path, &listener, e);
	clearenv(); /* PAM's modules read it */
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (err == 0)
		err = open_signals(&signals, e);
	if (err < 0)
		return err;
	err = loop(listener, signals);
	return err < 0 ? error_errno(e, err, "wait for connections") : 0;
}

int main(int argc, char **argv)
{
	const char *path = CLSECURED_SOCKET;
	struct error e = {0};

	fill_streams();
	if (argc == 2 && streq(argv[1], "--version")) {
		puts("clsecured " PACKAGE_VERSION);
		return 0;
	}
	if (argc == 3 && streq(argv[1], "--socket"))
		path = argv[2];
	else if (argc != 1) {
		fputs("usage: clsecured [--socket PATH | --version]\n", stderr);
		return 2;
	}
	if (geteuid() != 0) {
		fputs("clsecured: only root can run it\n", stderr);
		return 1;
	}
	umask(022);
	openlog("clsecured", LOG_PID, LOG_AUTHPRIV);
	if (run(path, &e) < 0) {
		fprintf(stderr, "clsecured: %s\n", e.text);
		syslog(LOG_ERR, "%s", e.text);
		return 1;
	}
	return 0;
}
