/*
 * Bytes from one side to the other.  A buffer that all share is filled by read(2) and emptied by
 * write(2) at once; a connection has one of its own only for what the other side does not take, or
 * what must not go on yet.
 */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <sys/socket.h>

#define AT_ONCE (256 * 1024)
#define ROUNDS 4 /* of these, before others have their turn */

static char shared[SNIFF_HOLD_MAX + AT_ONCE];

int relay_hold(struct conn *c, int side, const char *data, size_t n, size_t ok)
{
	struct flow *f = &c->flow[side];
	char *held = NULL;

	if (n > 0) {
		held = malloc(n);
		if (!held)
			return -ENOMEM;
		memcpy(held, data, n);
	}
	free(f->held);
	f->held = held;
	f->n = n;
	f->ok = ok;
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
	return 0;
}

/* Passes on what may go on of these, and holds the rest.  -errno: the connection is no more. */
static int pass(struct conn *c, int side, const char *data, size_t n)
{
	size_t ok, left;
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

	if (f->eof && !f->closed && f->ok == 0) {
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

static int pump(struct conn *c, int side)
{
	for (int i = 0; i < ROUNDS && wants_read(c, side); i++) {
		bool passes = side == OUTSIDE || sniff_done(&c->sniff);
		size_t max = passes ? AT_ONCE : SNIFF_HOLD_MAX - c->flow[side].n, n;
		char *data;
		int err = relay_read(c, side, max, &data, &n);

		if (err == -EAGAIN)
			break;
		if (err == -EPIPE)
			return ended(c, side);
		if (err < 0) {
			conn_free(c, true);
			return err;
		}
		max += c->flow[side].n;
		err = pass(c, side, data, n);
		if (err == 0 && side == OUTSIDE && c->sniff.upgrade) {
			/* `shared` is used anew */
			char answer[16];
			size_t k = n < sizeof(answer) ? n : sizeof(answer);

			memcpy(answer, data, k);
			err = heard(c, answer, k);
		}
		if (err < 0)
			return err;
		if (n < max)
			break;
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
	f->n -= f->ok - left;
	f->ok = left;
	if (f->n == 0) {
		free(f->held);
		f->held = NULL;
	}
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
	if ((events & EV_WRITE) && (flush_held(c, !side) < 0 || pass_end(c, !side) < 0))
		return;
	if ((events & EV_READ) && (pump(c, side) < 0 || pass_end(c, side) < 0))
		return;
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
