/* A connection from the first decision to the server: decided, looked up, connected, or refused. */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define REQUEST_SECONDS 30 /* a request to the proxy, or what is needed to know a name */
#define SILENT_SECONDS 300 /* before the first byte, where one is needed */
#define LOOKUP_SECONDS 20
#define CONNECT_SECONDS 5 /* to an address, when there are others; */
#define CONNECT_LAST_SECONDS 60
#define IDLE_SECONDS (4 * 3600)
#define KEEPALIVE_SECONDS 60
#define REFUSALS 64

/* What a person has said no to, until there is another policy. */
static struct {
	char name[EGRESS_NAME_MAX + 1];
	uint16_t port;
} refusals[REFUSALS];
static size_t n_refusals;

static void on_found(struct waiter *w, const struct found *f);

static void set_options(int fd)
{
	static const int one = 1, idle = KEEPALIVE_SECONDS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
}

struct conn *conn_new(int fd)
{
	struct conn *c = egress.n_conns < egress.max_conns ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		journal_add("", 0, EGRESS_LIMIT, NULL, NULL);
		close(fd);
		return NULL;
	}
	set_options(fd);
	c->fd[INSIDE] = fd;
	c->fd[OUTSIDE] = -1;
	c->waiter.done = on_found;
	c->since = c->active = seconds();
	LIST_INSERT_HEAD(&egress.conns, c, entry);
	egress.n_conns++;
	return c;
}

static void tell_bytes(struct conn *c)
{
	if (!c->record)
		return;
	journal_bytes(c->record, c->bytes[INSIDE] - c->told[INSIDE],
		c->bytes[OUTSIDE] - c->told[OUTSIDE]);
	memcpy(c->told, c->bytes, sizeof(c->told));
}

static void set_record(struct conn *c, struct journal_entry *e)
{
	if (c->record) {
		tell_bytes(c);
		journal_close(c->record);
	}
	c->record = e;
	if (e)
		journal_open(e);
}

static void close_side(struct conn *c, int side, bool reset)
{
	static const struct linger now = {.l_onoff = 1};

	if (c->events[side])
		event_del(&c->ev[side]);
	c->events[side] = 0;
	if (c->fd[side] < 0)
		return;
	if (reset)
		setsockopt(c->fd[side], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c->fd[side]);
	c->fd[side] = -1;
}

void conn_free(struct conn *c, bool reset)
{
	lookup_cancel(&c->waiter);
	set_record(c, NULL);
	if (c->pool)
		egress_pool_release(egress.pool, c->pool, seconds());
	close_side(c, INSIDE, reset);
	close_side(c, OUTSIDE, reset);
	relay_forget(c);
	LIST_REMOVE(c, entry);
	egress.n_conns--;
	free(c->addresses);
	free(c->name);
	free(c);
}

void conn_state(struct conn *c, enum conn_state state)
{
	c->state = (uint8_t)state;
	c->since = seconds();
	relay_events(c);
}

/* --- refusals --------------------------------------------------------------------------------- */

static const char *http_status(enum egress_reason reason)
{
	switch (reason) {
	case EGRESS_BAD_NAME:
	case EGRESS_PROTOCOL:
		return "400 Bad Request";
	case EGRESS_UNKNOWN:
	case EGRESS_UPSTREAM:
		return "502 Bad Gateway";
	case EGRESS_RESOLVER:
		return "504 Gateway Timeout";
	case EGRESS_LIMIT:
		return "503 Service Unavailable";
	default:
		return "403 Forbidden";
	}
}

/* All that a new socket takes at once: no refusal is worth waiting for. */
static void say(struct conn *c, const void *data, size_t n)
{
	(void)send(c->fd[INSIDE], data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* clsecure: NAME, port N: the reason: the rule (the detail) */
static int reason_text(const struct conn *c, enum egress_reason reason, const char *rule,
	const char *detail, char *buf, size_t size)
{
	bool listed = reason != EGRESS_NOT_LISTED && reason != EGRESS_PORT;
	char where[sizeof(c->name->text) + 16] = "this request";
	int n;

	if (c->name)
		snprintf(where, sizeof(where), "%s, port %u", c->name->text, c->port);
	n = snprintf(buf, size, "clsecure: %s: %s%s%s%s%s%s\n%s", where,
		egress_reason_text(reason), rule[0] ? ": " : "", rule, detail[0] ? " (" : "",
		detail, detail[0] ? ")" : "",
		listed ? "" : "On the host: clsecure allow PROJECT NAME[:PORT]\n");
	return (size_t)n < size ? n : (int)size - 1;
}

static void say_http(struct conn *c, enum egress_reason reason, const char *rule,
	const char *detail)
{
	char body[1024], head[256];
	int n = reason_text(c, reason, rule, detail, body, sizeof(body));

	snprintf(head, sizeof(head),
		"HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
		"Connection: close\r\n\r\n",
		http_status(reason), n);
	say(c, head, strlen(head));
	say(c, body, (size_t)n);
}

static void say_socks(struct conn *c, enum egress_reason reason)
{
	uint8_t m[10] = {5, 2, 0, 1}; /* not allowed */

	if (reason == EGRESS_UPSTREAM || reason == EGRESS_UNKNOWN || reason == EGRESS_RESOLVER)
		m[1] = reason == EGRESS_UPSTREAM ? 5 : 4;
	say(c, m, sizeof(m));
}

void conn_refuse(struct conn *c, enum egress_reason reason, const char *rule, const char *detail)
{
	bool answer = c->by_proxy && c->state != CONN_RELAY;

	rule = rule ?: "";
	detail = detail ?: "";
	journal_add(c->name ? c->name->text : "", c->port, reason, rule, detail);
	if (answer && (c->proxy == PROXY_SOCKS || c->proxy == PROXY_SOCKS_GREETING))
		say_socks(c, reason);
	else if (answer)
		say_http(c, reason, rule, detail);
	/* what came and was not read would make a reset of it, and the answer be lost */
	if (answer) {
		char waste[16384];

		shutdown(c->fd[INSIDE], SHUT_WR);
		for (int i = 0; i < 8; i++)
			if (recv(c->fd[INSIDE], waste, sizeof(waste), MSG_DONTWAIT) <= 0)
				break;
	}
	conn_free(c, !answer);
}

/* --- the way to the server -------------------------------------------------------------------- */

/* 0: it is on its way, or already no more. */
static int connect_to(struct conn *c, const struct egress_address *a)
{
	struct sockaddr_storage ss;
	socklen_t size = egress_address_to(a, c->port, &ss);
	int fd = socket(a->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	int err;

	if (fd < 0)
		return -errno;
	set_options(fd);
	err = connect(fd, (struct sockaddr *)&ss, size) < 0 ? -errno : 0;
	if (err < 0 && err != -EINPROGRESS) {
		close(fd);
		return err;
	}
	c->fd[OUTSIDE] = fd;
	c->peer = *a;
	if (err == 0) /* a server that is near */
		conn_connected(c, true);
	else
		conn_state(c, CONN_CONNECTING);
	return 0;
}

static void connect_next(struct conn *c)
{
	close_side(c, OUTSIDE, false);
	while (c->n_addresses > 0) {
		struct egress_address a = c->addresses[0];
		int err;

		c->n_addresses--;
		memmove(c->addresses, c->addresses + 1, c->n_addresses * sizeof(a));
		err = connect_to(c, &a);
		if (err == 0)
			return;
		c->error = -err;
	}
	conn_refuse(c, EGRESS_UPSTREAM, NULL, c->error ? strerrordesc_np(c->error) : NULL);
}

void conn_connected(struct conn *c, bool ok)
{
	int err = 0;
	socklen_t size = sizeof(err);

	if (!ok)
		err = ETIMEDOUT;
	else if (getsockopt(c->fd[OUTSIDE], SOL_SOCKET, SO_ERROR, &err, &size) < 0)
		err = errno;
	if (err != 0) {
		c->error = err;
		connect_next(c);
		return;
	}
	free(c->addresses);
	c->addresses = NULL;
	c->n_addresses = 0;
	if (c->by_proxy && c->proxy == PROXY_SOCKS)
		say(c, (const uint8_t[10]){5, 0, 0, 1}, 10);
	else if (c->by_proxy && c->proxy == PROXY_CONNECT)
		say(c, "HTTP/1.1 200 Connection established\r\n\r\n", 39);
	relay_begin(c);
}

/*
 * To those of the addresses that may be reached: whoever owns the name says which there are.
 */
static void connect_any(struct conn *c, const struct egress_address *addresses, size_t n)
{
	enum egress_reason why = EGRESS_UPSTREAM;
	const char *rule = "";
	struct egress_name last = {.text = ""};

	c->addresses = calloc(n, sizeof(*addresses));
	for (size_t i = 0; c->addresses && i < n; i++) {
		const struct egress_address *a = &addresses[i];
		struct egress_decision d = egress_decide_address(
			&egress.policy, a, c->port, address_forbidden(a));

		if (d.reason == EGRESS_ALLOWED) {
			c->addresses[c->n_addresses++] = *a;
			continue;
		}
		why = d.reason;
		rule = d.rule;
		egress_address_name(a, &last);
	}
	if (c->n_addresses == 0)
		conn_refuse(c, why, rule, last.text);
	else
		connect_next(c);
}

static void on_found(struct waiter *w, const struct found *f)
{
	struct conn *c = (struct conn *)((char *)w - offsetof(struct conn, waiter));

	if (f->status == LOOKUP_FOUND)
		connect_any(c, f->addresses, f->n);
	else
		conn_refuse(c, f->status == LOOKUP_NO_NAME ? EGRESS_UNKNOWN : EGRESS_RESOLVER, NULL,
			NULL);
}

static bool was_refused(const struct conn *c)
{
	for (size_t i = 0; i < n_refusals; i++)
		if (refusals[i].port == c->port && streq(refusals[i].name, c->name->text))
			return true;
	return false;
}

/* The policy's answer to a connection; a host port has been decided about by its door. */
static struct egress_decision decide(const struct conn *c)
{
	if (c->host_port)
		return (struct egress_decision){
			egress_host_port(&egress.policy, c->port) ? EGRESS_ALLOWED : EGRESS_RAW,
			"AllowHostPorts"};
	return egress_decide(&egress.policy, c->name, c->port);
}

void conn_go(struct conn *c)
{
	struct egress_decision d = decide(c);

	if (d.reason == EGRESS_WAITING && was_refused(c))
		d.reason = EGRESS_REFUSED;
	if (egress_is_refusal(d.reason)) {
		conn_refuse(c, d.reason, d.rule, NULL);
		return;
	}
	set_record(c, journal_add(c->name->text, c->port, d.reason, d.rule, NULL));
	if (d.reason == EGRESS_WAITING) {
		conn_state(c, CONN_WAITING);
		control_tick(); /* a person waits too */
		return;
	}
	sniff_begin(&c->sniff,
		egress.policy.strict && !c->host_port && c->name->address.family == 0 ?
			c->name->text :
			NULL,
		c->port == 80 || c->port == 443);
	conn_state(c, CONN_LOOKUP);
	if (c->host_port) {
		c->addresses = calloc(1, sizeof(*c->addresses));
		if (c->addresses) {
			c->addresses[0] = c->name->address;
			c->n_addresses = 1;
		}
		connect_next(c);
	} else if (c->name->address.family != 0) {
		connect_any(c, &c->name->address, 1);
	} else {
		lookup(&c->waiter, c->name->text);
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

/* Does what was allowed before hold? */
static void again(struct conn *c)
{
	struct egress_decision d, a;

	if (c->state == CONN_PROXY)
		return;
	d = decide(c);
	if (c->state == CONN_WAITING) {
		if (d.reason != EGRESS_WAITING)
			conn_go(c);
		return;
	}
	if (egress_is_refusal(d.reason) || d.reason == EGRESS_WAITING) {
		conn_refuse(c, d.reason == EGRESS_WAITING ? EGRESS_NOT_LISTED : d.reason, d.rule,
			NULL);
		return;
	}
	if (c->fd[OUTSIDE] < 0 || c->host_port)
		return;
	a = egress_decide_address(&egress.policy, &c->peer, c->port,
		address_forbidden(&c->peer));
	if (a.reason != EGRESS_ALLOWED)
		conn_refuse(c, a.reason, a.rule, NULL);
}

void conns_policy(void)
{
	struct conn *c, *next;

	n_refusals = 0;
	for (c = LIST_FIRST(&egress.conns); c; c = next) {
		next = LIST_NEXT(c, entry);
		again(c);
	}
}

void conns_refuse(const char *name, uint16_t port)
{
	struct conn *c, *next;
	size_t i = n_refusals < REFUSALS ? n_refusals++ : 0;

	snprintf(refusals[i].name, sizeof(refusals[i].name), "%s", name);
	refusals[i].port = port;
	for (c = LIST_FIRST(&egress.conns); c; c = next) {
		next = LIST_NEXT(c, entry);
		if (c->state == CONN_WAITING && c->port == port && streq(c->name->text, name))
			conn_refuse(c, EGRESS_REFUSED, NULL, NULL);
	}
}

static bool undecided(const struct conn *c)
{
	return c->flow[INSIDE].n > c->flow[INSIDE].ok && !sniff_done(&c->sniff);
}

static void tick_relay(struct conn *c, uint64_t now)
{
	uint64_t age = now - c->since, idle = now - c->active;
	bool half = undecided(c) && c->sniff.state != SNIFF_UPGRADE;
	bool silent = c->sniff.must && c->sniff.state == SNIFF_START;

	tell_bytes(c);
	if (half && age >= REQUEST_SECONDS && idle >= REQUEST_SECONDS)
		conn_refuse(c, EGRESS_PROTOCOL, NULL, "half a request");
	else if (idle >= IDLE_SECONDS || (silent && age >= SILENT_SECONDS))
		conn_free(c, true);
}

static void tick(struct conn *c, uint64_t now)
{
	uint64_t age = now - c->since;

	switch ((enum conn_state)c->state) {
	case CONN_PROXY:
		if (age >= (c->flow[INSIDE].n > 0 ? REQUEST_SECONDS : SILENT_SECONDS))
			conn_free(c, true);
		break;
	case CONN_WAITING:
		if (age >= EGRESS_ASK_MS / 1000)
			conn_refuse(c, EGRESS_NOT_LISTED, NULL, NULL);
		break;
	case CONN_LOOKUP:
		if (age >= LOOKUP_SECONDS)
			conn_refuse(c, EGRESS_RESOLVER, NULL, NULL);
		break;
	case CONN_CONNECTING:
		if (age >= (c->n_addresses > 0 ? CONNECT_SECONDS : CONNECT_LAST_SECONDS))
			conn_connected(c, false);
		break;
	case CONN_RELAY:
		tick_relay(c, now);
		break;
	}
}

void conns_tick(uint64_t now)
{
	struct conn *c, *next;

	for (c = LIST_FIRST(&egress.conns); c; c = next) {
		next = LIST_NEXT(c, entry);
		tick(c, now);
	}
}
