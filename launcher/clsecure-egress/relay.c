/*
 * Bytes from one side to the other.  A buffer that all share is filled by read(2) and emptied by
 * write(2) at once; a connection has one of its own only for what the other side does not take, or
 * what must not go on yet.
 */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#define AT_ONCE (256 * 1024)
#define ROUNDS 4 /* of these, before others have their turn */
#define BULK (64 * 1024) /* who sends so much at once has its next bytes spliced */
#define HELD_MUCH (8 * 1024 * 1024) /* of all together: from then on little is read at once */
#define HELD_MAX (64 * 1024 * 1024) /* from then on nobody is waited for */
#define LITTLE (16 * 1024)
#define PIPE_SIZE (1024 * 1024)

static char shared[SNIFF_HOLD_MAX + AT_ONCE];
static size_t all_held;
static int ends[2]; /* of a pipe through which bytes go from socket to socket uncopied */

int relay_init(void)
{
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

/* These bytes, which are malloc()ed, in the place of what was held. */
static void set_held(struct flow *f, char *held, size_t n, size_t ok)
{
	all_held = all_held - f->n + n;
	free(f->held);
	f->held = held;
	f->n = n;
	f->ok = ok;
}

void relay_forget(struct conn *c)
{
	set_held(&c->flow[INSIDE], NULL, 0, 0);
	set_held(&c->flow[OUTSIDE], NULL, 0, 0);
}

int relay_hold(struct conn *c, int side, const char *data, size_t n, size_t ok)
{
	char *held = NULL;

	if (n > 0) {
		held = malloc(n);
		if (!held)
			return -ENOMEM;
		memcpy(held, data, n);
	}
	set_held(&c->flow[side], held, n, ok);
	return 0;
}

int relay_read(struct conn *c, int side, size_t max, char **ret_data, size_t *ret_n)
{
	struct flow *f = &c->flow[side];
	ssize_t n;

	if (f->n > 0)
		memcpy(shared, f->held, f->n);
	*ret_data = shared;
	*ret_n = f->n;
	n = read(c->fd[side], shared + f->n, max);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return -EPIPE;
	*ret_n += (size_t)n;
	return 0;
}

/* *ret: what is left of it.  -errno: the other side is gone. */
static int give(struct conn *c, int from, const char *data, size_t n, size_t *ret)
{
	ssize_t w = 0;

	if (n > 0)
		w = send(c->fd[!from], data, n, MSG_NOSIGNAL);
	if (w < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (w > 0) {
		c->bytes[from] += (size_t)w;
		c->active = seconds();
	}
	*ret = n - (w > 0 ? (size_t)w : 0);
	return 0;
}

/* What of these bytes may go on.  -EACCES: the connection was refused, and is no more. */
static int look(struct conn *c, int side, const char *data, size_t n, size_t *ret_pass)
{
	enum egress_reason reason = 0;
	struct error e = {0};

	*ret_pass = n;
	if (side == OUTSIDE || sniff_done(&c->sniff))
		return 0;
	if (sniff_client(&c->sniff, data, n, ret_pass, &reason, &e) < 0) {
		conn_refuse(c, reason, NULL, e.text);
		return -EACCES;
	}
	if (*ret_pass == 0 && n >= SNIFF_HOLD_MAX && c->sniff.state != SNIFF_UPGRADE) {
		conn_refuse(c, EGRESS_PROTOCOL, NULL, "too much before a name");
		return -EACCES;
	}
	if (*ret_pass < n && all_held > HELD_MAX) {
		conn_refuse(c, EGRESS_LIMIT, NULL, NULL);
		return -EACCES;
	}
	return 0;
}

/* Passes on what may go on of these, and holds the rest.  -errno: the connection is no more. */
static int pass(struct conn *c, int side, const char *data, size_t n)
{
	size_t ok = 0, left = 0;
	int err = look(c, side, data, n, &ok);

	if (err < 0)
		return err;
	err = give(c, side, data, ok, &left);
	if (err == 0)
		err = relay_hold(c, side, data + ok - left, n - ok + left, left);
	if (err < 0)
		conn_free(c, true);
	return err;
}

static int held_again(struct conn *c)
{
	struct flow *f = &c->flow[INSIDE];
	size_t n = f->n;

	if (n == 0 || f->ok > 0)
		return 0;
	memcpy(shared, f->held, n);
	return pass(c, INSIDE, shared, n);
}

/* The server's bytes can say that the connection is no HTTP any more. */
static int heard(struct conn *c, const char *data, size_t n)
{
	return sniff_server(&c->sniff, data, n) ? held_again(c) : 0;
}

static int ended(struct conn *c, int side)
{
	struct flow *f = &c->flow[side];

	f->eof = true;
	/* half a request goes nowhere */
	if (f->n > f->ok && !c->sniff.upgrade) {
		conn_refuse(c, EGRESS_PROTOCOL, NULL, "half a request");
		return -EPIPE;
	}
	return 0;
}

/* Passes the end on once all is passed on before it.  -EPIPE: that was all. */
static int pass_end(struct conn *c, int side)
{
	struct flow *f = &c->flow[side];

	if (f->eof && !f->closed && f->n == 0) {
		f->closed = true;
		shutdown(c->fd[!side], SHUT_WR);
	}
	if (!c->flow[INSIDE].closed || !c->flow[OUTSIDE].closed)
		return 0;
	conn_free(c, false);
	return -EPIPE;
}

static bool wants_read(const struct conn *c, int side)
{
	const struct flow *f = &c->flow[side];

	if (f->eof || f->ok > 0)
		return false;
	if (side == OUTSIDE)
		return sniff_server_may(&c->sniff);
	return f->n < SNIFF_HOLD_MAX && (c->sniff.state != SNIFF_UPGRADE || f->n == 0);
}

/* Nothing of one connection may be left in it for another. */
static void empty_pipe(void)
{
	while (read(ends[0], shared, sizeof(shared)) > 0)
		;
}

/* What the other side did not take of n bytes in the pipe becomes the connection's own. */
static int take_back(struct conn *c, int side, size_t n)
{
	char *held = malloc(n);
	size_t got = 0;

	while (held && got < n) {
		ssize_t r = read(ends[0], held + got, n - got);

		if (r <= 0)
			break;
		got += (size_t)r;
	}
	empty_pipe();
	if (got < n) {
		free(held);
		return -ENOMEM;
	}
	set_held(&c->flow[side], held, n, n);
	return 0;
}

static size_t at_once(size_t size)
{
	return all_held > HELD_MUCH ? LITTLE : size;
}

/* From socket to socket without a copy.  0; -EAGAIN: no more came; -EPIPE: the end; -errno */
static int carry(struct conn *c, int side)
{
	const unsigned flags = SPLICE_F_NONBLOCK | SPLICE_F_MOVE;
	ssize_t n = splice(c->fd[side], NULL, ends[1], NULL, at_once(PIPE_SIZE), flags), w = 0;
	size_t left = n > 0 ? (size_t)n : 0;

	if (n <= 0)
		return n == 0 ? -EPIPE : -errno;
	c->flow[side].bulk = n >= BULK;
	while (left > 0 && (w = splice(ends[0], NULL, c->fd[!side], NULL, left, flags)) > 0)
		left -= (size_t)w;
	c->bytes[side] += (size_t)n - left;
	c->active = seconds();
	if (left == 0)
		return 0;
	if (w < 0 && errno != EAGAIN) {
		empty_pipe();
		return -EIO;
	}
	return take_back(c, side, left);
}

/* By a buffer, looked at where that has to be.  As carry(); -EACCES: the connection is no more. */
static int copy(struct conn *c, int side)
{
	bool passes = side == OUTSIDE || sniff_done(&c->sniff);
	size_t max = passes ? at_once(AT_ONCE) : SNIFF_HOLD_MAX - c->flow[side].n, n;
	char *data, answer[16];
	int err = relay_read(c, side, max, &data, &n);

	if (err < 0)
		return err;
	memcpy(answer, data, n < sizeof(answer) ? n : sizeof(answer));
	max += c->flow[side].n;
	if (pass(c, side, data, n) < 0)
		return -EACCES;
	if (side == OUTSIDE && c->sniff.upgrade)
		return heard(c, answer, n < sizeof(answer) ? n : sizeof(answer)) < 0 ? -EACCES : 0;
	c->flow[side].bulk = passes && n >= BULK;
	return n < max ? -EAGAIN : 0;
}

static int pump(struct conn *c, int side)
{
	for (int i = 0; i < ROUNDS && wants_read(c, side); i++) {
		bool bulk = c->flow[side].bulk && c->flow[side].n == 0;
		int err = bulk ? carry(c, side) : copy(c, side);

		if (err == -EAGAIN)
			break;
		if (err == -EPIPE)
			return ended(c, side);
		if (err < 0 && err != -EACCES)
			conn_free(c, true);
		if (err < 0)
			return err;
	}
	return 0;
}

static int flush_held(struct conn *c, int side)
{
	struct flow *f = &c->flow[side];
	size_t left;
	int err;

	if (f->ok == 0)
		return 0;
	err = give(c, side, f->held, f->ok, &left);
	if (err < 0) {
		conn_free(c, true);
		return err;
	}
	if (left == f->ok)
		return 0;
	memmove(f->held, f->held + f->ok - left, f->n - f->ok + left);
	all_held -= f->ok - left;
	f->n -= f->ok - left;
	f->ok = left;
	if (f->n == 0)
		set_held(f, NULL, 0, 0);
	return 0;
}

static void on_event(evutil_socket_t fd, short events, void *arg)
{
	struct conn *c = arg;
	int side = fd == c->fd[OUTSIDE] ? OUTSIDE : INSIDE;

	if (c->state == CONN_CONNECTING && side == OUTSIDE) {
		conn_connected(c, true);
		return;
	}
	if (c->state == CONN_PROXY) {
		door_proxy(c);
		return;
	}
	if ((events & EV_WRITE) && flush_held(c, !side) < 0)
		return;
	if ((events & EV_READ) && pump(c, side) < 0)
		return;
	/* what one side said can have let the other's last bytes go on */
	if (pass_end(c, INSIDE) == 0 && pass_end(c, OUTSIDE) == 0)
		relay_events(c);
}

static short wanted(const struct conn *c, int side)
{
	if (c->fd[side] < 0)
		return 0;
	switch ((enum conn_state)c->state) {
	case CONN_PROXY:
		return side == INSIDE ? EV_READ : 0;
	case CONN_CONNECTING:
		return side == OUTSIDE ? EV_WRITE : 0;
	case CONN_RELAY:
		return (short)((wants_read(c, side) ? EV_READ : 0) |
			(c->flow[!side].ok > 0 ? EV_WRITE : 0));
	default:
		return 0;
	}
}

void relay_events(struct conn *c)
{
	for (int side = INSIDE; side <= OUTSIDE; side++) {
		short want = wanted(c, side);

		if (want == c->events[side])
			continue;
		if (c->events[side])
			event_del(&c->ev[side]);
		c->events[side] = want;
		if (!want)
			continue;
		event_assign(&c->ev[side], egress.base, c->fd[side], (short)(want | EV_PERSIST),
			on_event, c);
		event_add(&c->ev[side], NULL);
	}
}

/* The server is there.  What the client has said to the proxy beyond its request comes first. */
void relay_begin(struct conn *c)
{
	struct flow *f = &c->flow[INSIDE];

	c->state = CONN_RELAY;
	c->since = c->active = seconds();
	f->ok = 0;
	if (held_again(c) < 0 || pump(c, INSIDE) < 0 || pass_end(c, INSIDE) < 0)
		return;
	relay_events(c);
}
