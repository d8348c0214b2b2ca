#include "config.h"
#include "launcher/clsecure/ask.h"
#include "launcher/clsecured/pending.h"
#include "launcher/clsecured/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/*
 * As clsecured has it: no terminal of the person's among 0, 1, 2 for PAM's modules to see, nor an
 * environment: pam_systemd would give the worker's session root's seat and class.
 */
static void let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid(); /* Ctrl-C is for the one who asks */
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			_exit(STATUS_OURS);
	if (clearenv() != 0 || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) < 0 ||
		chdir("/") < 0)
		_exit(STATUS_OURS);
	signal(SIGPIPE, SIG_IGN);
	umask(022);
}

/* Root needs nobody to ask: a child of its own does what clsecured's would. */
static int open_own(struct server *s, struct error *e)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return error_errno(e, -errno, "make a socket");
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(pair[0]);
		close(pair[1]);
		return error_errno(e, -errno, "fork");
	}
	if (pid == 0) {
		close(pair[0]);
		let_go();
		_exit(serve(pair[1]));
	}
	close(pair[1]);
	s->conn = pair[0];
	s->child = pid;
	return 0;
}

int clsecured_connect(int *ret_fd, struct error *e)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", CLSECURED_SOCKET);
	if (fd < 0)
		return error_errno(e, -errno, "make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(e, -errno, "connect to clsecured at '%s'", CLSECURED_SOCKET);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int server_open(struct server *s, struct answer *a)
{
	int err;

	if (geteuid() == 0)
		return open_own(s, &a->error);
	err = clsecured_connect(&s->conn, &a->error);
	if (err != -ECONNREFUSED && err != -ENOENT)
		return err;
	snprintf(a->remedy, sizeof(a->remedy),
		"'sudo clsecure doctor' says whether clsecure is set up.");
	return a->error.code = -ENOTCONN; /* -ENOENT is for projects */
}

void server_close(struct server *s)
{
	int status = 0;

	closep(&s->conn);
	s->conn = -1;
	if (s->child > 0)
		while (waitpid(s->child, &status, 0) < 0 && errno == EINTR)
			;
	s->child = 0;
	if (WIFSIGNALED(status))
		(void)pending_tidy(NULL);
}

int answer_fail(const struct cli *c, const struct answer *a)
{
	int status = fail(c, &a->error);

	if (a->remedy[0])
		remedy("%s", a->remedy);
	return status;
}

int answer_end(const struct message *m, struct answer *a)
{
	const char *code = message_get(m, "code"), *text = message_get(m, "text"),
		   *what = message_get(m, "remedy");
	int err = code ? atoi(code) : -EPROTO;

	if (err >= 0)
		return 0;
	error_set(&a->error, err, "%s", text ?: "clsecured gave no reason");
	snprintf(a->remedy, sizeof(a->remedy), "%s", what ?: "");
	return err;
}

static int lost(int err, struct answer *a)
{
	if (err == -ENODATA || err == -ECONNRESET || err == -EPIPE)
		return error_set(&a->error, -ECONNRESET,
			"clsecured ended the connection: too many of yours are open, or it failed "
			"(see its log)");
	return error_errno(&a->error, err, "talk to clsecured");
}

static int receive(const struct cli *c, int conn, row_fn row, void *arg, struct answer *a)
{
	for (;;) {
		_cleanup_message_ struct message m = {0};
		int err = message_recv(conn, &m, UINT64_MAX);

		if (err < 0)
			return lost(err, a);
		if (message_is(&m, "type", "end"))
			return answer_end(&m, a);
		if (message_is(&m, "type", "note") && !c->quiet)
			complain("%s", message_get(&m, "text") ?: "");
		if (message_is(&m, "type", "row") && row)
			err = row(arg, &m);
		if (err != 0)
			return err;
	}
}

int ask(const struct cli *c, const struct message *q, row_fn row, void *arg, struct answer *a)
{
	_cleanup_server_ struct server s = SERVER_INIT;
	int err = server_open(&s, a);

	if (err < 0)
		return err;
	err = message_send(s.conn, q, UINT64_MAX);
	/* A listener that has no room closes at once, perhaps before the request is out. */
	if (err < 0 && err != -EPIPE && err != -ECONNRESET)
		return lost(err, a);
	return receive(c, s.conn, row, arg, a);
}

int request_new(const struct cli *c, const char *op, struct message *ret_message)
{
	_cleanup_message_ struct message m = {0};
	int err = message_add(&m, "op", op);

	for (size_t i = 0; err == 0 && i < c->n_settings; i++)
		err = message_add(&m, "setting", c->settings[i]);
	if (err < 0)
		return err;
	*ret_message = m;
	m = (struct message){0};
	return 0;
}
