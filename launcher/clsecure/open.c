#include "config.h"
#include "launcher/clsecure/open.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

extern char **environ;

char *words_join(char *const *words)
{
	size_t size = 1;
	char *joined, *p;

	for (size_t i = 0; words[i]; i++)
		size += strlen(words[i]) + 1;
	p = joined = malloc(size);
	if (!joined)
		return NULL;
	*p = '\0';
	for (size_t i = 0; words[i]; i++)
		p += sprintf(p, "%s%s", i > 0 ? " " : "", words[i]);
	return joined;
}

static bool passes(const char *variable, const char *pattern)
{
	size_t length = strcspn(variable, "="), n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '*')
		return length >= n - 1 && strncmp(variable, pattern, n - 1) == 0;
	return length == n && strncmp(variable, pattern, n) == 0;
}

static int add_environment(struct message *q, char *const *pass)
{
	static const char *const always[] = {"TERM", "LANG", "LC_*", "COLORTERM", "TZ"};
	int err = 0;

	for (size_t i = 0; err == 0 && environ[i]; i++) {
		bool wanted = false;

		for (size_t k = 0; k < ELEMENTSOF(always); k++)
			wanted |= passes(environ[i], always[k]);
		for (size_t k = 0; pass && pass[k]; k++)
			wanted |= passes(environ[i], pass[k]);
		if (wanted && strchr(environ[i], '='))
			err = message_add(q, "env", environ[i]);
	}
	return err;
}

/* Size and modes of the person's terminal, for the pty. */
static int add_terminal(struct message *q)
{
	char hex[2 * sizeof(struct termios) + 1];
	struct winsize w;
	struct termios t;
	int err = message_add(q, "terminal", "1");

	if (err == 0 &&
		(ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == 0 ||
			ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0))
		err = message_addf(q, "size", "%ux%u", w.ws_col, w.ws_row);
	if (err < 0 || tcgetattr(STDIN_FILENO, &t) < 0)
		return err;
	for (size_t i = 0; i < sizeof(t); i++)
		sprintf(hex + 2 * i, "%02x", ((unsigned char *)&t)[i]);
	return message_add(q, "modes", hex);
}

static int add_extra(struct message *q, const char *const *extra)
{
	int err = 0;

	for (size_t i = 0; err == 0 && extra && extra[i]; i++) {
		_cleanup_free_ char *key = strndup(extra[i], strcspn(extra[i], "="));

		err = key ? message_add(q, key, extra[i] + strlen(key) + 1) : -ENOMEM;
	}
	return err;
}

static int build(const struct cli *c, const struct open_request *o, struct message *q)
{
	int err = request_new(c, "open", q);

	if (err == 0 && o->project->slug[0])
		err = message_add(q, "project", o->project->slug);
	if (err == 0)
		err = add_environment(q, o->project->pass_env);
	if (err == 0 && o->terminal)
		err = add_terminal(q);
	if (err == 0 && o->command)
		err = message_add(q, "command", o->command);
	for (size_t i = 0; err == 0 && o->words && o->words[i]; i++)
		err = message_add(q, "word", o->words[i]);
	return err < 0 ? err : add_extra(q, o->extra);
}

int take_frame(const struct cli *c, int conn, int *ret_status, struct answer *a)
{
	_cleanup_message_ struct message m = {0};
	int err = message_recv(conn, &m, UINT64_MAX);

	if (err < 0)
		return error_set(&a->error, -ECONNABORTED,
			"clsecured ended while the session was open");
	if (message_is(&m, "type", "note") && !c->quiet)
		complain("%s", message_get(&m, "text") ?: "");
	if (message_is(&m, "type", "exit")) {
		*ret_status = atoi(message_get(&m, "status") ?: "125");
		return 1;
	}
	if (!message_is(&m, "type", "end"))
		return 0;
	err = answer_end(&m, a);
	return err < 0 ? err : 2;
}

/*
 * Ctrl-C while opening: the server sees that nothing more will be asked, lets go of what it has
 * opened and says so; only then does clsecure end.
 */
static volatile sig_atomic_t interrupted;
static int interrupted_conn;

static void on_interrupt(int signal_)
{
	interrupted = signal_;
	shutdown(interrupted_conn, SHUT_WR);
}

static void catch_interrupts(int conn)
{
	struct sigaction sa = {.sa_handler = on_interrupt};

	interrupted_conn = conn;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* Until "opened", with the master where there is one. */
static int wait_opened(const struct cli *c, int conn, int *ret_master, struct answer *a)
{
	for (;;) {
		_cleanup_message_ struct message m = {0};
		int err = message_recv(conn, &m, UINT64_MAX);

		if (err < 0)
			return error_set(&a->error, err,
				"clsecured ended the connection (its log says why)");
		if (message_is(&m, "type", "note") && !c->quiet)
			complain("%s", message_get(&m, "text") ?: "");
		if (message_is(&m, "type", "end"))
			return answer_end(&m, a)
				?: error_set(&a->error, -EPROTO, "clsecured opened nothing");
		if (!message_is(&m, "type", "opened"))
			continue;
		if (m.n_fds > 0) {
			*ret_master = m.fds[0];
			m.fds[0] = -1;
		}
		return 0;
	}
}

static int open_and_relay(const struct cli *c, const struct open_request *o, struct message *q,
	int ours[static 3], int *ret_status, struct answer *a)
{
	_cleanup_server_ struct server s = SERVER_INIT;
	int master = -1, err;

	err = server_open(&s, a);
	if (err < 0)
		return err;
	catch_interrupts(s.conn);
	err = message_send(s.conn, q, UINT64_MAX);
	if (err < 0 && err != -EPIPE && err != -ECONNRESET)
		return error_errno(&a->error, err, "ask clsecured");
	for (size_t i = 0; i < q->n_fds; i++)
		closep(&q->fds[i]); /* the program's ends are the program's */
	q->n_fds = 0;
	err = wait_opened(c, s.conn, &master, a);
	if (err < 0)
		return err;
	if (o->terminal && master < 0)
		return error_set(&a->error, -EPROTO, "clsecured gave no terminal");
	return o->terminal ? relay_terminal(c, s.conn, master, ret_status, a)
			   : relay_streams(c, s.conn, ours, ret_status, a);
}

/*
 * What was found in the project meanwhile: from the sandbox that has ended, or at the next command.
 * False: the project is gone.
 */
static bool print_findings(const struct cli *c, const struct open_request *o)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};

	if (o->extra || message_add(&q, "op", "findings") < 0 ||
	    message_add(&q, "project", o->project->slug) < 0)
		return true;
	return ask(c, &q, NULL, NULL, &a) != -ENOENT;
}

/*
 * Who removes a project kills what runs in its sandbox, and clsecured's process too, perhaps before
 * it has said so.
 */
static int session_end(const struct cli *c, const struct open_request *o, int err, int status,
	const struct answer *a)
{
	const int killed = 128 + SIGKILL;
	bool there;

	if (err < 0 && err != -ECONNABORTED)
		return answer_fail(c, a);
	there = print_findings(c, o);
	if (err < 0 && there)
		return answer_fail(c, a);
	if (there || (err == 0 && status != killed))
		return status;
	complain("project '%s' was removed, and its sandbox with all sessions", o->project->slug);
	return killed;
}

int session_run(const struct cli *c, const struct open_request *o)
{
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int ours[3] = {-1, -1, -1}, status = STATUS_OURS;
	int err = build(c, o, &q);

	if (err < 0)
		error_errno(&a.error, err, "ask for '%s': the command and its environment",
			o->project->slug);
	if (err == 0 && !o->terminal) {
		err = streams_make(q.fds, ours, &a.error);
		q.n_fds = 3;
	}
	if (err == 0)
		err = open_and_relay(c, o, &q, ours, &status, &a);
	for (size_t i = 0; i < q.n_fds; i++)
		closep(&q.fds[i]);
	if (interrupted && err < 0)
		return 128 + interrupted;
	return session_end(c, o, err, status, &a);
}
