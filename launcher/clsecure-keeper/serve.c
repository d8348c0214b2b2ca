/*
 * The loop.  Nobody is waited for: what a peer does not read is dropped with its connection, and a
 * holder that is stopped holds its session until it dies, and nothing else.
 */
#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 4096
#define LOG_LINES 50 /* a second */
#define LINGER_MAX ((uint64_t)UINT32_MAX) /* seconds; more is for ever */

static void reply_to(const struct connection *c, struct keeper_reply *r, int err,
	const struct error *e)
{
	r->version = KEEPER_VERSION;
	r->status = err;
	if (err < 0)
		snprintf(r->text, sizeof(r->text), "%.*s", (int)sizeof(r->text) - 1, e->text);
}

static void op_leave(struct keeper *k, struct connection *c)
{
	for (size_t i = 0; i < k->n_sessions; i++)
		if (k->sessions[i].id == c->session) {
			session_end(k, i);
			return;
		}
}

static int op_enter(struct keeper *k, struct connection *c, const struct keeper_request *q)
{
	struct keeper_reply r = {0};
	struct error e = {0};
	int err = session_enter(k, c, q, &r, &e);
	const int fds[] = {k->sandbox.pidfd, k->filter, k->sandbox.dev};
	int sent;

	c->asked = true;
	reply_to(c, &r, err, &e);
	sent = wire_send(c->fd, &r, sizeof(r), fds, err < 0 ? 0 : ELEMENTSOF(fds));
	/* Who was not answered does not enter, however long it lives. */
	if (err == 0 && sent < 0)
		op_leave(k, c);
	return sent;
}

static int op_place(struct keeper *k, struct connection *c)
{
	_cleanup_close_ int logind = -1;
	struct keeper_reply r = {0};
	struct error e = {0};
	int err = session_place(k, c, &logind, &e);

	reply_to(c, &r, err, &e);
	return wire_send(c->fd, &r, sizeof(r), &logind, logind >= 0);
}

static int op_list(struct keeper *k, struct connection *c)
{
	struct keeper_reply last = {.version = KEEPER_VERSION};

	c->asked = true;
	for (size_t i = 0; i < k->n_sessions; i++) {
		const struct session *s = &k->sessions[i];
		struct keeper_reply r = {.version = KEEPER_VERSION,
			.status = 1,
			.session = s->id,
			.since = s->since,
			.holder = s->holder};
		int err;

		memcpy(r.service, s->who.service, sizeof(r.service));
		memcpy(r.tty, s->who.tty, sizeof(r.tty));
		memcpy(r.host, s->who.host, sizeof(r.host));
		memcpy(r.who, s->who.who, sizeof(r.who));
		err = wire_send(c->fd, &r, sizeof(r), NULL, 0);
		if (err < 0)
			return err;
	}
	return wire_send(c->fd, &last, sizeof(last), NULL, 0);
}

static int is_meant(const struct keeper *k, const struct keeper_request *q, struct error *e)
{
	if (q->worker == 0 || q->worker == k->worker)
		return 0;
	return error_set(e, -ESTALE, "project '%s' was changed meanwhile", k->slug);
}

/* 1: the sandbox has to end. */
static int op_kill(struct keeper *k, struct connection *c, const struct keeper_request *q)
{
	struct keeper_reply r = {0};
	struct error e = {0};
	int err = is_meant(k, q, &e), sent;

	if (err == 0 && q->session != 0)
		err = session_kill(k, q->session, &e);
	c->asked = true;
	reply_to(c, &r, err, &e);
	sent = wire_send(c->fd, &r, sizeof(r), NULL, 0);
	return err == 0 && q->session == 0 ? 1 : sent;
}

static uint32_t max_sessions(const struct keeper *k)
{
	uint64_t max = policy_number(k->policy, SETTING_MAX_SESSIONS);

	return max < UINT32_MAX ? (uint32_t)max : UINT32_MAX;
}

static int op_program(struct keeper *k, struct connection *c, int *pidfd)
{
	struct keeper_reply r = {0};
	struct error e = {0};
	int err = session_program(k, c, *pidfd, &e);

	if (err == 0)
		*pidfd = -1;
	reply_to(c, &r, err, &e);
	return wire_send(c->fd, &r, sizeof(r), NULL, 0);
}

static int op_simple(struct keeper *k, struct connection *c, const struct keeper_request *q)
{
	struct keeper_reply r = {.session = (uint32_t)k->n_sessions};
	struct error e = {0};
	int err = 0;

	if (q->op == KEEPER_COUNT)
		refresh(k);
	r.max = max_sessions(k);
	if (q->op == KEEPER_READY)
		err = session_ready(k, c, &e);
	else if (q->op == KEEPER_RESERVE)
		c->reserved = (err = is_meant(k, q, &e)) == 0;
	else if (q->op != KEEPER_COUNT && q->op != KEEPER_HERE)
		err = error_set(&e, -ENOTSUP, "the keeper does not know this request");
	reply_to(c, &r, err, &e);
	return wire_send(c->fd, &r, sizeof(r), NULL, 0);
}

/* .session of the reply: is there a clsecure-egress?  .since: what to ask from next. */
static int send_reached(struct keeper *k, struct connection *c)
{
	struct keeper_reply r = {.session = k->egress.used, .since = k->egress.reached.change};
	_cleanup_close_ int fd = -1;
	struct error e = {0};
	int err = reached_file(&k->egress.reached, c->reached_from, &fd);

	c->reached = false;
	if (err < 0)
		error_errno(&e, err, "what was reached");
	reply_to(c, &r, err, &e);
	return wire_send(c->fd, &r, sizeof(r), &fd, fd >= 0);
}

static int op_reached(struct keeper *k, struct connection *c, const struct keeper_request *q)
{
	c->asked = true;
	c->reached = true;
	c->reached_from = strtoull(q->service, NULL, 10);
	/* Else it is answered once clsecure-egress has, or is gone. */
	return egress_read(&k->egress) ? 0 : send_reached(k, c);
}

static int op_dial(struct keeper *k, struct connection *c, const struct keeper_request *q)
{
	struct keeper_reply r = {0};
	_cleanup_close_ int fd = -1;
	struct error e = {0};
	int err = dial(k, q->session, q->service[0] == '6', &fd, &e), sent;

	c->asked = true;
	reply_to(c, &r, err, &e);
	sent = wire_send(c->fd, &r, sizeof(r), &fd, fd >= 0);
	return err == -ENOTRECOVERABLE ? 1 : sent;
}

static int op_refuse(struct keeper *k, struct connection *c, struct keeper_request *q)
{
	struct keeper_reply r = {0};
	struct error e = {0};
	char *name = KEEPER_NAME(q);
	int err;

	c->asked = true;
	name[KEEPER_NAME_SIZE - 1] = '\0';
	err = egress_refuse(&k->egress, name, q->session, &e);
	reply_to(c, &r, err, &e);
	return wire_send(c->fd, &r, sizeof(r), NULL, 0);
}

static void answer_reached(struct keeper *k)
{
	for (size_t i = 0; i < k->n_connections && !k->egress.reading; i++)
		if (k->connections[i].reached)
			(void)send_reached(k, &k->connections[i]);
}

/* An answer all the same: silence would mean that no keeper is there. */
static int refuse_version(struct connection *c)
{
	struct keeper_reply r = {0};
	struct error e = {0};
	int err = error_set(&e, -EPROTO, "the keeper is of another version");

	reply_to(c, &r, err, &e);
	wire_send(c->fd, &r, sizeof(r), NULL, 0);
	return err;
}

/* <0: drop the connection; 1: the sandbox has to end. */
static int handle(struct keeper *k, struct connection *c)
{
	_cleanup_close_ int fd = -1;
	struct keeper_request q;
	size_t n_fds = 1;
	int err = wire_receive(c->fd, &q, sizeof(q), &fd, &n_fds, 0);

	if (err == -ETIMEDOUT)
		return 0;
	if (err < 0)
		return err;
	if (q.version != (keeper_common(q.op) ? KEEPER_COMMON : KEEPER_VERSION))
		return refuse_version(c);
	switch (q.op) {
	case KEEPER_ENTER:
		return op_enter(k, c, &q);
	case KEEPER_PLACE:
		return op_place(k, c);
	case KEEPER_LEAVE:
		op_leave(k, c);
		return 0;
	case KEEPER_LIST:
		return op_list(k, c);
	case KEEPER_KILL:
		return op_kill(k, c, &q);
	case KEEPER_REACHED:
		q.service[sizeof(q.service) - 1] = '\0';
		return op_reached(k, c, &q);
	case KEEPER_DIAL:
		return op_dial(k, c, &q);
	case KEEPER_REFUSE:
		return op_refuse(k, c, &q);
	case KEEPER_PROGRAM:
		return op_program(k, c, &fd);
	default:
		return op_simple(k, c, &q);
	}
}

static void accept_one(struct keeper *k)
{
	_cleanup_close_ int fd = accept4(k->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *room;

	if (fd < 0 || k->n_connections >= CONNECTIONS_MAX || wire_peer_root(fd, NULL) < 0)
		return;
	room = reallocarray(k->connections, k->n_connections + 1, sizeof(*room));
	if (!room)
		return;
	k->connections = room;
	k->connections[k->n_connections++] =
		(struct connection){.fd = TAKE_FD(fd), .since = now_ms()};
}

static void drop(struct keeper *k, size_t i)
{
	close(k->connections[i].fd);
	k->connections[i] = k->connections[--k->n_connections];
}

/* When the sandbox ends, should nobody come: now_ms(), or UINT64_MAX while somebody holds it. */
static uint64_t end_at(const struct keeper *k)
{
	uint64_t linger = policy_number(k->policy, SETTING_LINGER), at;

	if (k->n_sessions > 0 || linger > LINGER_MAX)
		return UINT64_MAX;
	at = k->idle_since + (k->last_id == 0 ? KEEPER_WAIT_MS : linger * 1000);
	for (size_t i = 0; i < k->n_connections; i++) {
		const struct connection *c = &k->connections[i];

		if (c->reserved)
			return UINT64_MAX;
		if (!c->asked && c->since + KEEPER_WAIT_MS > at)
			at = c->since + KEEPER_WAIT_MS;
	}
	return at;
}

static uint64_t wake_at(const struct keeper *k)
{
	uint64_t end = end_at(k), egress = egress_wake_at(&k->egress);

	return end < egress ? end : egress;
}

static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
	terminated = 1;
}

#define FIXED (3 + EGRESS_POLL)

/* One turn.  NULL: go on; else why it ends. */
static const char *turn(struct keeper *k, struct pollfd *p, unsigned *log_lines,
	const sigset_t *mask)
{
	size_t n_sessions = k->n_sessions, n_connections = k->n_connections;
	uint64_t now = now_ms(), end = wake_at(k), wait = end > now ? end - now : 0;
	struct timespec t = {
		.tv_sec = (time_t)(wait / 1000), .tv_nsec = (long)(wait % 1000) * 1000000};

	p[0] = (struct pollfd){.fd = k->sandbox.pidfd, .events = POLLIN};
	p[1] = (struct pollfd){.fd = k->listener, .events = POLLIN};
	p[2] = (struct pollfd){.fd = k->sandbox.log, .events = POLLIN};
	egress_poll(&k->egress, &p[3]);
	for (size_t i = 0; i < n_connections; i++)
		p[FIXED + i] = (struct pollfd){.fd = k->connections[i].fd, .events = POLLIN};
	for (size_t i = 0; i < n_sessions; i++)
		p[FIXED + n_connections + i] =
			(struct pollfd){.fd = k->sessions[i].pidfd, .events = POLLIN};
	if (ppoll(p, FIXED + n_connections + n_sessions, end == UINT64_MAX ? NULL : &t, mask) < 0)
		return terminated ? "it was told to end" : NULL;
	if (p[0].revents)
		return "its first process died";
	/* The dead first, from the end: what moves into a free place has been looked at. */
	for (size_t i = n_sessions; i-- > 0;)
		if (p[FIXED + n_connections + i].revents)
			session_end(k, i);
	for (size_t i = n_connections; i-- > 0;) {
		int r = p[FIXED + i].revents ? handle(k, &k->connections[i]) : 0;

		if (r > 0)
			return "it was told to end";
		if (r < 0)
			drop(k, i);
	}
	egress_turn(&k->egress, &p[3]);
	answer_reached(k);
	if (p[2].revents)
		log_forward(k->sandbox.log, k->slug, log_lines);
	if (p[1].revents)
		accept_one(k);
	return end_at(k) <= now_ms() ? "nobody holds it any more" : NULL;
}

const char *serve(struct keeper *k)
{
	struct sigaction term = {.sa_handler = on_term};
	unsigned log_lines = LOG_LINES;
	uint64_t second = 0;
	const char *why = NULL;
	sigset_t block, before;

	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &before);
	sigaction(SIGTERM, &term, NULL);
	k->idle_since = now_ms();
	while (!why) {
		_cleanup_free_ struct pollfd *p =
			calloc(FIXED + k->n_connections + k->n_sessions, sizeof(*p));

		if (!p)
			return "no memory is left";
		if (now_ms() / 1000 != second) {
			second = now_ms() / 1000;
			log_lines = LOG_LINES;
		}
		why = turn(k, p, &log_lines, &before);
	}
	return why;
}
