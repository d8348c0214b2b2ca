/*
 * For tests: what a PAM application does, without PAM.
 *
 *	clsecure-enter make SLUG PATH OWNER [KEY=VALUE…]	a project and its user
 *	clsecure-enter run SLUG COMMAND…		a session: enter, fork, become the worker,
 * exec; its status clsecure-enter shut SLUG COMMAND…		the same, and the holder dies by
 * SIGKILL instead of leaving
 *	clsecure-enter pty SLUG COMMAND…		the same on a pty of the sandbox, copied to
 * stdout clsecure-enter ask SLUG list|count|kill [N]	what a keeper that runs says; 3: none runs
 *	clsecure-enter reserve SLUG SECONDS [KEY=VALUE…]	keeps an empty sandbox
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/base/registry.h"
#include "lib/policy/policy.h"
#include "lib/sandbox/client.h"

static int fail(const struct error *e)
{
	fprintf(stderr, "clsecure-enter: %s\n", e->text);
	return 125;
}

static int make(char **argv)
{
	struct registry registry __attribute__((__cleanup__(registry_unlock))) = REGISTRY_EMPTY;
	struct person owner = {0};
	struct record record;
	struct error e = {0};
	struct project_new n;

	if (person_by_name(argv[2], &owner, &e) < 0 || registry_init(REGISTRY_STATE, &e) < 0 ||
	    registry_lock(REGISTRY_STATE, &registry, &e) < 0 ||
	    registry_add(&registry, argv[0], owner.uid, argv[1], &record, &e) < 0)
		return fail(&e);
	n = (struct project_new){.slug = argv[0],
		.path = argv[1],
		.owner = &owner,
		.worker_uid = record.uid,
		.assignments = argv + 3,
		.admin = true};
	registry_unlock(&registry);
	registry = (struct registry)REGISTRY_EMPTY;
	if (project_create(&n, &e) < 0 || registry_arm(REGISTRY_STATE, &e) < 0)
		return fail(&e);
	printf("%s %u\n", record.name, record.uid);
	return 0;
}

static _Noreturn void worker(const struct record *r, char **command, int slave)
{
	char home[64];

	for (int fd = 0; slave >= 0 && fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			_exit(125);
	if (slave >= 0 && (setsid() < 0 || ioctl(0, TIOCSCTTY, 0) < 0))
		_exit(125);
	if (setgroups(0, NULL) < 0 || setresgid(r->uid, r->uid, r->uid) < 0 ||
		setresuid(r->uid, r->uid, r->uid) < 0)
		_exit(125);
	snprintf(home, sizeof(home), "/home/%s", r->name);
	setenv("HOME", home, 1);
	setenv("USER", r->name, 1);
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	if (chdir(home) < 0)
		_exit(125);
	execvp(command[0], command);
	_exit(127);
}

static void copy_out(int master)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(master, buf, sizeof(buf))) > 0)
		if (write(1, buf, (size_t)n) != n)
			return;
}

static int run(const char *how, char **argv)
{
	struct keeper_request who = {.service = "test", .who = "root"};
	struct sandbox s = SANDBOX_INIT;
	int master = -1, slave = -1, status = 0;
	char name[WORKER_NAME_MAX + 1];
	struct error e = {0};
	struct record r;
	pid_t pid;

	worker_name(argv[0], name);
	if (record_by_name(REGISTRY_ARMED, name, &r) < 0)
		return fail(&(struct error){.text = "no such user"});
	if (sandbox_prepare(argv[0], &who, &s, &e) < 0)
		return fail(&e);
	if (streq(how, "pty") && sandbox_pty(s.dev, r.uid, &master, &slave, &e) < 0)
		return fail(&e);
	if (sandbox_enter(&s, &e) < 0)
		return fail(&e);
	pid = fork();
	if (pid < 0)
		return fail(&(struct error){.text = "fork"});
	if (pid == 0)
		worker(&r, argv + 1, slave);
	closep(&slave);
	if (master >= 0)
		copy_out(master);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (streq(how, "shut"))
		kill(getpid(), SIGKILL);
	sandbox_leave(&s);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int ask(char **argv)
{
	struct keeper_request q = {.op = KEEPER_COUNT};
	struct keeper_reply r;
	struct error e = {0};
	int conn, err;

	if (keeper_connect(argv[0], false, NULL, KEEPER_WAIT_MS, &conn, &e) < 0) {
		fail(&e);
		return e.code == -ENOENT ? 3 : 125;
	}
	if (streq(argv[1], "list"))
		q.op = KEEPER_LIST;
	if (streq(argv[1], "kill"))
		q.op = KEEPER_KILL;
	q.session = argv[2] ? (uint32_t)atoi(argv[2]) : 0;
	err = keeper_call(conn, &q, &r, NULL, NULL, KEEPER_WAIT_MS, &e);
	if (err < 0)
		return fail(&e);
	if (q.op == KEEPER_COUNT)
		printf("%u of %u\n", r.session, r.max);
	while (q.op == KEEPER_LIST && r.status == 1) {
		printf("%s:%u %s %s %d\n", argv[0], r.session, r.service, r.who, r.holder);
		if (recv(conn, &r, sizeof(r), 0) != sizeof(r)) {
			/* the socket does not wait: the rest has been sent already */
			break;
		}
	}
	return 0;
}

static int reserve(char **argv)
{
	struct keeper_request q = {.op = KEEPER_RESERVE};
	struct keeper_reply r;
	struct error e = {0};
	int conn;

	if (keeper_connect(argv[0], true, argv + 2, KEEPER_WAIT_MS, &conn, &e) < 0 ||
	    keeper_call(conn, &q, &r, NULL, NULL, KEEPER_WAIT_MS, &e) < 0)
		return fail(&e);
	sleep((unsigned)atoi(argv[1]));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 5 && streq(argv[1], "make"))
		return make(argv + 2);
	if (argc >= 4 && (streq(argv[1], "run") || streq(argv[1], "shut") || streq(argv[1], "pty")))
		return run(argv[1], argv + 2);
	if (argc >= 4 && streq(argv[1], "ask"))
		return ask(argv + 2);
	if (argc >= 4 && streq(argv[1], "reserve"))
		return reserve(argv + 2);
	fprintf(stderr, "usage: see the head of tests/host/enter.c\n");
	return 2;
}
