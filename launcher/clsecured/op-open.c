/*
 * open: a session with a program in it, for `clsecure`, its shell and exec, and the gateway.
 *
 * 1. The policy says who may enter; settings for this run reserve a sandbox that has them.
 * 2. login_open(): PAM, and with it the walk into the sandbox.  From here on the process is inside.
 * 3. With a terminal: a pty of the sandbox, its master handed to the peer, which relays.  Without:
 *    the three descriptors that came with the request, none of them a terminal or a directory.
 * 4. The program; its end, or the peer's, ends the session.  Then the status, and "end".
 */
#include "config.h"
#include "launcher/clsecured/login.h"
#include "launcher/clsecured/projects.h"
#include "launcher/clsecured/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "lib/base/stream.h"
#include "lib/sandbox/environment.h"

#define HANGUP_MS 2000 /* between SIGHUP and SIGKILL once the peer has gone */
#define STATUS_LOST (125 << 8) /* as a wait status */

struct opening {
	char slug[SLUG_MAX + 1];
	struct policy *policy;
	struct login login;
	char *shell; /* owned */
	uid_t worker;
	int keeper; /* reserves the sandbox until the session holds it */
	int signals; /* of SIGCHLD */
	int master, slave;
	char **argv, **variables, **environment; /* owned: argv and variables are arrays only */
};

static void opening_done(struct opening *o)
{
	login_close(&o->login);
	policy_free(o->policy);
	free(o->shell);
	free(o->argv);
	free(o->variables);
	strv_free(o->environment);
	closep(&o->keeper);
	closep(&o->signals);
	closep(&o->master);
	closep(&o->slave);
}

static int find_worker(struct opening *o, struct error *e)
{
	char name[WORKER_NAME_MAX + 1];
	struct passwd *pw;

	worker_name(o->slug, name);
	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return error_set(e, errno ? -errno : -ENOENT,
			"NSS does not know '%s': is clsecure set up? 'sudo clsecure doctor' says",
			name);
	if (pw->pw_uid < CLSECURE_UID_FIRST || pw->pw_uid > CLSECURE_UID_LAST ||
		pw->pw_gid != pw->pw_uid)
		return error_set(e, -EPERM, "'%s' has uid %u, which is no project's", name,
			pw->pw_uid);
	o->worker = pw->pw_uid;
	o->shell = strdup(pw->pw_shell);
	return o->shell ? 0 : error_errno(e, -ENOMEM, "find '%s'", name);
}

/*
 * A directory, a terminal, a socket that can be connected anew, or what only names a file would be a
 * hole in the wall.
 */
static int check_stream(int fd, struct error *e)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st) < 0)
		return error_errno(e, -errno, "look at a descriptor");
	if (flags & O_PATH)
		return error_set(e, -EPERM, "a descriptor opened with O_PATH cannot be passed in");
	if (isatty(fd))
		return error_set(e, -EPERM, "a terminal cannot be passed in");
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode) &&
		!S_ISSOCK(st.st_mode))
		return error_set(e, -EPERM,
			S_ISDIR(st.st_mode)
				? "a directory cannot be passed in"
				: "a descriptor of this kind cannot be passed in");
	if (stream_leads_out(fd))
		return error_set(e, -EPERM, "a socket of the host's network cannot be passed in");
	return 0;
}

static int check_streams(const struct request *r, bool terminal, struct error *e)
{
	int err = 0;

	if (r->m->n_fds != (terminal ? 0 : 3))
		return error_set(e, -EBADMSG, "%zu descriptors came with the request", r->m->n_fds);
	for (size_t i = 0; err == 0 && i < r->m->n_fds; i++)
		err = check_stream(r->m->fds[i], e);
	return err;
}

static bool name_passes(const char *variable, const char *const *patterns, size_t n)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(patterns[i]);

		if (k > 0 && patterns[i][k - 1] == '*'
				? length >= k - 1 && memcmp(variable, patterns[i], k - 1) == 0
				: length == k && memcmp(variable, patterns[i], k) == 0)
			return true;
	}
	return false;
}

/* What the peer's environment may put into the session's: clsecure-shell sieves once more. */
static int choose_variables(struct request *r, struct opening *o, struct error *e)
{
	static const char *const always[] = {"TERM", "LANG", "LC_*", "COLORTERM", "TZ"};
	_cleanup_free_ char **sent = message_list(r->m, "env", NULL);
	size_t n_pass = 0, n = 0;
	char *const *pass = policy_list(o->policy, SETTING_PASS_ENV, &n_pass);

	while (sent && sent[n])
		n++;
	o->variables = calloc(n + 2, sizeof(*o->variables));
	if (!sent || !o->variables)
		return error_errno(e, -ENOMEM, "read the environment");
	n = 0;
	o->variables[n++] = (char *)START_VARIABLE "=" START_PROJECT;
	for (size_t i = 0; sent[i]; i++)
		if (strchr(sent[i], '=') && sent[i][0] != '=' &&
			(name_passes(sent[i], always, ELEMENTSOF(always)) ||
				name_passes(sent[i], (const char *const *)pass, n_pass)))
			o->variables[n++] = sent[i];
	return 0;
}

/*
 * A login shell; one string for the worker's shell, with words as its parameters; or words alone,
 * which clsecure-shell runs itself: the shell that the project names may be of any kind.
 */
static int choose_argv(struct request *r, struct opening *o, struct error *e)
{
	_cleanup_free_ char **words = message_list(r->m, "word", NULL);
	const char *command = message_get(r->m, "command");
	size_t n = 0, k = 0;

	while (words && words[n])
		n++;
	o->argv = calloc(n + 5, sizeof(*o->argv));
	if (!words || !o->argv)
		return error_errno(e, -ENOMEM, "read the command");
	o->argv[k++] = (char *)(command || n > 0 ? "clsecure-shell" : "-clsecure-shell");
	if (command) {
		o->argv[k++] = (char *)"-c";
		o->argv[k++] = (char *)command;
	} else if (n > 0) {
		o->argv[k++] = (char *)WORDS_OPTION;
	}
	if (n > 0) {
		if (command)
			o->argv[k++] = (char *)"clsecure";
		memcpy(o->argv + k, words, n * sizeof(*words));
	}
	return 0;
}

static int reserve(struct opening *o, char *const *overrides, struct error *e)
{
	struct keeper_request q = {
		.version = KEEPER_VERSION, .op = KEEPER_RESERVE, .worker = o->worker};
	struct keeper_reply answer;
	int err;

	if (!overrides[0])
		return 0;
	err = keeper_connect(o->slug, true, overrides, KEEPER_WAIT_MS, &o->keeper, e);
	return err < 0 ? err : keeper_call(o->keeper, &q, &answer, NULL, NULL, KEEPER_WAIT_MS, e);
}

/*
 * The modes of the peer's terminal, as hex digits of struct termios; whatever is odd is left out.
 */
static void copy_modes(int slave, const char *hex)
{
	struct termios sent, t;

	if (!hex || strlen(hex) != 2 * sizeof(sent) || tcgetattr(slave, &t) < 0)
		return;
	for (size_t i = 0; i < sizeof(sent); i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return;
		((unsigned char *)&sent)[i] = (unsigned char)byte;
	}
	t.c_iflag = sent.c_iflag;
	t.c_oflag = sent.c_oflag;
	t.c_lflag = sent.c_lflag;
	memcpy(t.c_cc, sent.c_cc, sizeof(t.c_cc));
	tcsetattr(slave, TCSANOW, &t);
}

static int give_terminal(struct request *r, struct opening *o, struct error *e)
{
	_cleanup_close_ int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	unsigned short rows = 0, columns = 0;
	const char *size = message_get(r->m, "size");
	struct winsize w = {0};
	int err;

	if (dev < 0)
		return error_errno(e, -errno, "open the sandbox's /dev");
	err = sandbox_pty(dev, o->worker, &o->master, &o->slave, e);
	if (err < 0)
		return err;
	if (size && sscanf(size, "%hux%hu", &columns, &rows) == 2) {
		w.ws_row = rows;
		w.ws_col = columns;
		ioctl(o->slave, TIOCSWINSZ, &w);
	}
	copy_modes(o->slave, message_get(r->m, "modes"));
	return 0;
}

/* The master goes to the peer, and is closed here: the peer's end is the terminal's end. */
static int tell_opened(struct request *r, struct opening *o)
{
	struct message m = {.n_fds = o->master >= 0, .fds = {o->master}};
	int err = reply(r, "opened", &m);

	closep(&o->master);
	o->master = -1;
	closep(&o->slave);
	o->slave = -1;
	return err;
}

/* Until it leads its group it is alone, and the signal would be lost. */
static void signal_program(pid_t pid, int sig)
{
	if (kill(-pid, sig) < 0)
		kill(pid, sig);
}

static void hang_up(pid_t pid)
{
	signal_program(pid, SIGHUP);
	signal_program(pid, SIGCONT);
}

/* A signal for exec, which has no terminal to make them. */
static void pass_signal(pid_t pid, const struct message *m)
{
	static const int allowed[] = {
		SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGUSR1, SIGUSR2};
	const char *text = message_get(m, "signal");

	for (size_t i = 0; text && i < ELEMENTSOF(allowed); i++)
		if (atoi(text) == allowed[i])
			signal_program(pid, allowed[i]);
}

/* One frame of the peer; false when it is gone or speaks nonsense. */
static bool take_frame(struct request *r, pid_t pid)
{
	_cleanup_message_ struct message m = {0};

	if (message_recv(r->conn, &m, message_now() + REQUEST_MS) < 0)
		return false;
	pass_signal(pid, &m);
	return true;
}

/* Until the program has ended: its wait status.  A peer that goes takes it along. */
static int wait_program(struct request *r, struct opening *o, pid_t pid)
{
	struct pollfd p[2] = {
		{.fd = o->signals, .events = POLLIN}, {.fd = r->conn, .events = POLLIN}};
	uint64_t kill_at = UINT64_MAX;
	int status, n;

	for (;;) {
		uint64_t now = message_now();
		int timeout = kill_at == UINT64_MAX ? -1 : kill_at > now ? (int)(kill_at - now) : 0;
		struct signalfd_siginfo si;

		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		n = poll(p, 2, timeout);
		if (n < 0) /* what was said before is not said now */
			p[0].revents = p[1].revents = 0;
		if (n == 0) {
			signal_program(pid, SIGKILL);
			kill_at = UINT64_MAX;
		}
		if (p[0].revents && read(o->signals, &si, sizeof(si)) < 0 && errno != EAGAIN)
			return STATUS_LOST;
		if (p[1].revents && !take_frame(r, pid)) {
			hang_up(pid);
			p[1].fd = -1;
			p[1].revents = 0;
			kill_at = message_now() + HANGUP_MS;
		}
	}
}

/*
 * The name may have been given to another person's project since it was looked at: a uid is not. So
 * the uid comes first, and what was entered must be its sandbox, by the home that is shown there.
 */
static int check_entered(const struct opening *o, struct error *e)
{
	char home[sizeof("/home/") + WORKER_NAME_MAX] = "/home/";
	struct stat st;

	worker_name(o->slug, home + strlen(home));
	if (lstat(home, &st) < 0)
		return error_errno(e, -errno, "look at '%s' inside", home);
	if (!S_ISDIR(st.st_mode) || st.st_uid != o->worker)
		return error_set(e, -ESTALE, "project '%s' was changed meanwhile", o->slug);
	return 0;
}

static int block_child_signal(struct opening *o, struct error *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
		(o->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return error_errno(e, -errno, "watch for the program's end");
	return 0;
}

static int run_inside(struct request *r, struct opening *o, bool terminal, struct error *e)
{
	_cleanup_message_ struct message m = {0};
	struct session s = {
		.worker = o->worker,
		.shell = o->shell,
		.directory = policy_path(o->policy),
		.argv = o->argv,
		.environment = o->environment,
		.terminal = terminal,
	};
	pid_t pid;
	int err = 0;

	if (peer_gone(r))
		return error_set(e, -ECANCELED, "interrupted");
	if (terminal)
		err = give_terminal(r, o, e);
	if (err == 0)
		err = block_child_signal(o, e);
	if (err < 0)
		return err;
	for (size_t i = 0; i < 3; i++)
		s.fds[i] = terminal ? o->slave : r->m->fds[i];
	err = session_start(&s, &pid, e);
	if (err < 0)
		return err;
	/* A peer that went meanwhile is seen by the wait. */
	tell_opened(r, o);
	for (size_t i = 0; i < r->m->n_fds; i++) { /* or a pipe would never end */
		close(r->m->fds[i]);
		((struct message *)r->m)->fds[i] = -1;
	}
	err = message_addf(&m, "status", "%d", session_status(wait_program(r, o, pid)));
	if (err == 0)
		reply(r, "exit", &m);
	return 0;
}

static int prepare(struct request *r, struct opening *o, char *const *overrides, bool terminal,
	struct error *e)
{
	int err = project_named(r, o->slug, e);

	if (err == 0)
		err = project_registered(r, o->slug, NULL, e);
	if (err == 0)
		err = find_worker(o, e);
	if (err == 0)
		err = project_for(r, o->slug, RIGHT_ENTER, overrides, 0, &o->policy, e);
	if (err == 0)
		err = check_streams(r, terminal, e);
	if (err == 0)
		err = choose_variables(r, o, e);
	if (err == 0)
		err = choose_argv(r, o, e);
	return err < 0 ? err : reserve(o, overrides, e);
}

int op_open(struct request *r, struct error *e)
{
	_cleanup_(opening_done) struct opening o = {
		.keeper = -1, .signals = -1, .master = -1, .slave = -1};
	_cleanup_free_ char **overrides = message_list(r->m, "setting", NULL);
	bool terminal = message_is(r->m, "terminal", "1");
	int err;

	if (!overrides)
		return error_errno(e, -ENOMEM, "read the request");
	if (r->gateway && overrides[0])
		return error_set(e, -EPERM, "settings for one run do not pass the gateway");
	err = prepare(r, &o, overrides, terminal, e);
	if (err == 0)
		err = login_open(&o.login, r, o.slug, e);
	if (err == 0)
		err = check_entered(&o, e);
	if (err < 0)
		return err;
	o.environment = login_environment(&o.login, o.variables);
	if (!o.environment)
		return error_errno(e, -ENOMEM, "read the environment");
	return run_inside(r, &o, terminal, e);
}
