#include "config.h"
#include "launcher/clsecure-keeper/egress.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/egress/name.h"
#include "lib/policy/domains.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>

#define ANSWER_MS 2000 /* for READY and for each policy */
#define STEADY_MS 10000 /* it ran this long: its end is no failure to start */
#define DELAY_MS 100 /* before the second start in a row; doubles up to: */
#define DELAY_MAX_MS 10000
#define NOTHING "strict yes\n" /* a policy that allows nothing */
#define HIGH_FD 64
#define DEATH_MS 300
#define LAST_MS 300 /* for what was reached, at the end */

/* --- the process --- */

static int to_number(int fd, int number)
{
	return fd < 0 ? 0 : dup2(fd, number);
}

/* Descriptors as lib/egress/control.h says; nothing else of the keeper's goes along. */
static int place_descriptors(const struct egress *g, int control)
{
	int high[1 + FILTERED_SOCKETS], null = open("/dev/null", O_RDWR);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	for (int i = 0; i <= FILTERED_SOCKETS; i++) {
		int fd = i == 0 ? control : g->net.sockets[i - 1];

		high[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD, HIGH_FD);
		if (fd >= 0 && high[i] < 0)
			return -errno;
	}
	if (close_range(EGRESS_FD_CONTROL, HIGH_FD - 1, 0) < 0)
		return -errno;
	for (int i = 0; i <= FILTERED_SOCKETS; i++)
		if (to_number(high[i], EGRESS_FD_CONTROL + i) < 0)
			return -errno;
	return close_range(EGRESS_FD_CONTROL + 1 + FILTERED_SOCKETS, ~0U, 0) < 0 ? -errno : 0;
}

static _Noreturn void exec_egress(const struct egress *g, int control)
{
	char *const argv[] = {(char *)"clsecure-egress", NULL};
	char *const envp[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	if (place_descriptors(g, control) < 0 || setgroups(0, NULL) < 0 ||
		setresgid(EGRESS_UID, EGRESS_UID, EGRESS_UID) < 0 ||
		setresuid(EGRESS_UID, EGRESS_UID, EGRESS_UID) < 0 || setuid(0) == 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		/* a stopped one would not see its control socket end */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
		sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(1);
	execve(EGRESS_PROGRAM, argv, envp);
	_exit(1);
}

/* PID 1 of a namespace: it sees no other process, and what it starts cannot outlive it. */
static int clone_egress(int *ret_pidfd)
{
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_NEWPID,
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD};

	return (int)syscall(SYS_clone3, &args, sizeof(args));
}

static int start(struct egress *g)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], err = fault("egress"), pidfd = -1;
	pid_t pid;

	g->started = now_ms();
	if (err < 0)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	pid = clone_egress(&pidfd);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		exec_egress(g, theirs);
	g->pid = pid;
	g->pidfd = pidfd;
	g->control = TAKE_FD(ours);
	g->start_at = UINT64_MAX;
	g->ready = g->reading = false;
	g->unanswered = 0;
	g->next = 0;
	g->deadline = now_ms() + ANSWER_MS;
	return 0;
}

static void kill_it(const struct egress *g)
{
	if (g->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, g->pidfd, SIGKILL, NULL, 0);
}

/* What it was said to be is over, the process perhaps not yet. */
static void let_go(struct egress *g)
{
	struct pollfd p = {.fd = g->pidfd, .events = POLLIN};

	kill_it(g);
	if (g->pid > 0 && poll(&p, 1, DEATH_MS) >= 0)
		waitpid(g->pid, NULL, WNOHANG);
	closep(&g->control);
	closep(&g->pidfd);
	g->pid = -1;
	g->control = g->pidfd = -1;
	g->ready = false;
	g->deadline = UINT64_MAX;
	reached_fold(&g->reached);
}

/* The network is gone until the next one is there; in the worst case that takes DELAY_MAX_MS. */
static void again(struct egress *g, const char *why)
{
	uint64_t delay = 0;

	if (now_ms() - g->started >= STEADY_MS)
		g->failures = 0;
	if (g->failures > 0)
		delay = (uint64_t)DELAY_MS << (g->failures < 8 ? g->failures - 1 : 7);
	if (delay > DELAY_MAX_MS)
		delay = DELAY_MAX_MS;
	g->failures++;
	syslog(LOG_ERR, "%s: %s: nothing is reached until it is started again",
		g->slug, why);
	let_go(g);
	g->start_at = now_ms() + delay;
}

/* --- what it is told --- */

static int send_policy(struct egress *g)
{
	int err = egress_send(g->control, EGRESS_POLICY, 0, g->policy, strlen(g->policy));

	if (err < 0)
		return err;
	g->unanswered++;
	g->deadline = now_ms() + ANSWER_MS;
	return 0;
}

static void answered(struct egress *g)
{
	if (g->ready && g->unanswered == 0 && !g->reading)
		g->deadline = UINT64_MAX;
}

static int host_ports(const struct egress *g, const struct policy *p)
{
	_cleanup_free_ uint16_t *ports = NULL;
	size_t n;
	char *const *list = policy_list(p, SETTING_ALLOW_HOST_PORTS, &n);

	ports = calloc(n + 1, sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ports[i] = (uint16_t)strtoul(list[i], NULL, 10);
	return filtered_host_ports(&g->net, ports, n);
}

/* 1: it is another one than before.  What cannot be read allows nothing. */
static int policy_take(struct egress *g, const struct policy *p)
{
	struct error e = {0};
	char *text = NULL;
	int err = domains_policy(p, &text, &e);

	if (err == 0 && strlen(text) > EGRESS_MESSAGE_MAX - sizeof(struct egress_request))
		err = error_set(&e, -E2BIG, "more rules than clsecure-egress takes");
	if (err < 0) {
		free(text);
		text = strdup(NOTHING);
		syslog(LOG_ERR, "%s: nothing is reached: %s", g->slug, e.text);
	}
	if (!text)
		return -ENOMEM;
	if (g->policy && streq(text, g->policy)) {
		free(text);
		return 0;
	}
	free(g->policy);
	g->policy = text;
	err = host_ports(g, p);
	return err < 0 ? err : 1;
}

void egress_update(struct egress *g, const struct policy *p)
{
	int changed;

	if (!g->used)
		return;
	changed = policy_take(g, p);
	if (changed == 0)
		return;
	if (g->control >= 0 && (changed < 0 || send_policy(g) < 0))
		again(g, "it cannot be told a new policy");
}

bool egress_read(struct egress *g)
{
	if (g->control < 0 || !g->ready)
		return false;
	if (g->reading)
		return true;
	if (egress_send(g->control, EGRESS_LOG, g->next, NULL, 0) < 0)
		return false;
	g->reading = true;
	g->deadline = now_ms() + ANSWER_MS;
	return true;
}

int egress_refuse(struct egress *g, const char *name, uint32_t port, struct error *e)
{
	char text[EGRESS_NAME_MAX + 16];
	int n = snprintf(text, sizeof(text), "%s %u", name, port), err;

	if (!g->used || g->control < 0)
		return error_set(e, -ENOTCONN, "nothing waits: the network is not filtered");
	if (n < 0 || (size_t)n >= sizeof(text) || port > UINT16_MAX)
		return error_set(e, -EINVAL, "no name and port");
	err = egress_send(g->control, EGRESS_REFUSE, 0, text, (size_t)n);
	return err < 0 ? error_errno(e, err, "tell clsecure-egress") : 0;
}

/* --- what it says --- */

static int take_policy_reply(struct egress *g, const struct egress_reply *r, size_t size)
{
	struct error e = {0};

	if (g->unanswered == 0)
		return -EPROTO;
	if (--g->unanswered == 0) {
		if (!g->ready && g->failures > 0)
			syslog(LOG_NOTICE, "%s: clsecure-egress serves again", g->slug);
		g->ready = true;
	}
	answered(g);
	if (r->status >= 0)
		return 0;
	snprintf(e.text, sizeof(e.text), "%.*s", (int)(size - sizeof(*r)),
		(const char *)(r + 1));
	text_clean(e.text);
	syslog(LOG_ERR, "%s: nothing is reached: %s", g->slug, e.text);
	return 0;
}

static int take_log(struct egress *g, struct egress_reply *r, size_t size)
{
	const struct egress_record *records;
	bool more = r->status > 0;
	size_t n;
	int err = g->reading ? egress_records(r, size, &records, &n) : -EPROTO;

	if (err < 0)
		return err;
	for (size_t i = 0; i < n; i++)
		reached_take(&g->reached, &records[i]);
	g->reading = false;
	answered(g);
	/* Each reply leads on: one that does not would be asked for ever. */
	if (more && r->next <= g->next)
		return -EPROTO;
	g->next = r->next;
	if (more && !egress_read(g))
		return -EPIPE;
	return 0;
}

static int take_message(struct egress *g)
{
	static union {
		struct egress_reply head;
		char bytes[EGRESS_MESSAGE_MAX + 1];
	} m;
	ssize_t n = recv(g->control, m.bytes, EGRESS_MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < (ssize_t)sizeof(m.head) || n > EGRESS_MESSAGE_MAX ||
		m.head.version != EGRESS_VERSION)
		return n <= 0 ? -EPIPE : -EPROTO;
	switch (m.head.op) {
	case EGRESS_READY:
		return 0;
	case EGRESS_CHANGED:
		return egress_read(g) || !g->ready ? 0 : -EPIPE;
	case EGRESS_POLICY:
		return take_policy_reply(g, &m.head, (size_t)n);
	case EGRESS_REFUSE: /* of which nothing more comes than that it was read */
		return 0;
	case EGRESS_LOG:
		return take_log(g, &m.head, (size_t)n);
	default:
		return -EPROTO;
	}
}

/* --- from the keeper's loop --- */

void egress_poll(const struct egress *g, struct pollfd p[static EGRESS_POLL])
{
	p[0] = (struct pollfd){.fd = g->control, .events = POLLIN};
	p[1] = (struct pollfd){.fd = g->pidfd, .events = POLLIN};
}

uint64_t egress_wake_at(const struct egress *g)
{
	return g->start_at < g->deadline ? g->start_at : g->deadline;
}

void egress_turn(struct egress *g, const struct pollfd p[static EGRESS_POLL])
{
	int err = 0;

	if (!g->used)
		return;
	if (g->start_at <= now_ms()) {
		err = start(g) ?: send_policy(g);
		if (err < 0)
			again(g, "clsecure-egress cannot be started");
		return;
	}
	if (g->pidfd >= 0 && p[1].revents) {
		again(g, "clsecure-egress ended");
		return;
	}
	if (g->control >= 0 && p[0].revents)
		err = take_message(g);
	if (err < 0)
		again(g, err == -EPIPE ? "clsecure-egress ended" : "clsecure-egress sent nonsense");
	else if (g->deadline <= now_ms())
		again(g, "clsecure-egress does not answer");
}

int egress_begin(struct egress *g, const char *slug, const struct policy *p, struct error *e)
{
	int err;

	g->slug = slug;
	err = filtered_make(&g->net, e);
	if (err < 0)
		return err;
	err = policy_take(g, p);
	if (err >= 0)
		err = start(g) ?: send_policy(g);
	if (err < 0)
		return error_errno(e, err, "cannot start clsecure-egress");
	g->used = true;
	reached_load(slug, &g->reached);
	return 0;
}

int egress_wait(struct egress *g, unsigned timeout_ms, struct error *e)
{
	uint64_t end = now_ms() + timeout_ms;

	while (!g->ready) {
		struct pollfd p = {.fd = g->control, .events = POLLIN};
		uint64_t now = now_ms();
		int err = now >= end ? -ETIMEDOUT : 0;

		if (err == 0 && poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
			err = -errno;
		if (err == 0)
			err = take_message(g);
		if (err == -EPIPE)
			return error_set(e, err,
				"clsecure-egress ended at once: is %s there, and whole?",
				EGRESS_PROGRAM);
		if (err < 0)
			return error_errno(e, err, "clsecure-egress did not start");
	}
	return 0;
}

/* What has happened since it was read last. */
static void read_last(struct egress *g)
{
	uint64_t end = now_ms() + LAST_MS, now;

	if (!egress_read(g))
		return;
	while (g->reading && (now = now_ms()) < end) {
		struct pollfd p = {.fd = g->control, .events = POLLIN};

		if (poll(&p, 1, (int)(end - now)) > 0 && take_message(g) < 0)
			return;
	}
}

void egress_end(struct egress *g)
{
	read_last(g);
	if (g->control >= 0 || g->pid > 0)
		let_go(g);
	filtered_done(&g->net);
	if (g->used)
		reached_save(g->slug, &g->reached);
	reached_done(&g->reached);
	free(g->policy);
	*g = (struct egress)EGRESS_INIT;
}
