/*
 * The DNS of the sandbox, on UDP and TCP.
 *
 * A name that the policy does not allow is never asked of anybody.  One that it allows is looked up
 * before the answer, so that a name that does not exist does not, and the connection that follows
 * need not wait; what is answered is an address of the pool.
 */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define QUESTIONS 512 /* that wait for the host's resolver */
#define QUESTION_SECONDS 15
#define STREAMS 64
#define STREAM_SECONDS 20
#define AT_ONCE 32

/* A connection by TCP: one question after the other. */
struct stream {
	LIST_ENTRY(stream) entry;
	int fd;
	struct event ev;
	uint64_t since;
	size_t n;
	bool asked; /* a question waits, and no other is read */
	bool busy; /* in stream_next() */
	uint8_t buf[2 + DNS_QUERY_MAX];
};

struct question {
	LIST_ENTRY(question) entry;
	struct waiter waiter;
	struct stream *stream; /* NULL: by UDP, from: */
	struct sockaddr_in from;
	struct dns_query query;
	uint64_t since;
	char name[EGRESS_NAME_MAX + 1];
	size_t size;
	uint8_t bytes[];
};

static struct event udp, tcp;
static LIST_HEAD(streams, stream) streams = LIST_HEAD_INITIALIZER(streams);
static LIST_HEAD(questions, question) questions = LIST_HEAD_INITIALIZER(questions);
static size_t n_streams, n_questions;

/* Where an answer goes. */
struct way {
	struct stream *stream;
	const struct sockaddr_in *from;
};

static void stream_free(struct stream *s);

static void send_answer(const struct way *w, const uint8_t *m, const struct dns_query *q,
	const struct dns_answer *a)
{
	uint8_t out[2 + DNS_ANSWER_MAX];
	size_t n = dns_build(m, q, a, out + 2);

	if (!w->stream) {
		(void)sendto(EGRESS_FD_DNS_UDP, out + 2, n, MSG_DONTWAIT,
			(const struct sockaddr *)w->from, sizeof(*w->from));
		return;
	}
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	/* who does not read an answer that fits into any socket is no client; its time runs out */
	if (send(w->stream->fd, out, n + 2, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n + 2)
		w->stream->since = seconds();
}

static void answer_code(const struct way *w, const uint8_t *m, const struct dns_query *q,
	uint16_t rcode)
{
	send_answer(w, m, q, &(struct dns_answer){.rcode = rcode, .ede = DNS_EDE_NONE});
}

/* NXDOMAIN: what clients take for an end, where REFUSED makes some ask again and again. */
static void answer_blocked(const struct way *w, const uint8_t *m, const struct dns_query *q,
	const char *name, enum egress_reason reason, const char *rule, const char *detail)
{
	char text[400];

	if (reason == EGRESS_DENIED)
		snprintf(text, sizeof(text), "clsecure: the policy denies %s (%s)", name, rule);
	else if (reason == EGRESS_NOT_LISTED)
		snprintf(text, sizeof(text),
			"clsecure: AllowDomains does not have %s; on the host: clsecure allow "
			"PROJECT %s",
			name, name);
	else
		snprintf(text, sizeof(text), "clsecure: %s: %s%s%s", name,
			egress_reason_text(reason), detail[0] ? ": " : "", detail);
	journal_add(name, 0, reason, rule, detail);
	send_answer(w, m, q,
		&(struct dns_answer){
			.rcode = DNS_NXDOMAIN, .ede = DNS_EDE_BLOCKED, .ede_text = text});
}

static void answer_address(const struct way *w, const uint8_t *m, const struct dns_query *q,
	const char *name)
{
	struct dns_answer a = {.ede = DNS_EDE_NONE, .type = DNS_A, .ttl = EGRESS_POOL_TTL};
	uint32_t address;

	if (egress_pool_get(egress.pool, name, seconds(), &address) < 0) {
		journal_add(name, 0, EGRESS_LIMIT, NULL, NULL);
		answer_code(w, m, q, DNS_SERVFAIL);
		return;
	}
	address = htonl(address);
	memcpy(a.address, &address, 4);
	send_answer(w, m, q, &a);
}

/* Is there an address among them that may be reached at some port? */
static void answer_found(const struct way *w, const uint8_t *m, const struct dns_query *q,
	const char *name, const struct found *f)
{
	struct egress_name last = {.text = ""};

	if (f->status == LOOKUP_NO_NAME) {
		journal_add(name, 0, EGRESS_UNKNOWN, NULL, NULL);
		answer_code(w, m, q, DNS_NXDOMAIN);
		return;
	}
	if (f->status == LOOKUP_FAILED) {
		journal_add(name, 0, EGRESS_RESOLVER, NULL, NULL);
		send_answer(w, m, q,
			&(struct dns_answer){.rcode = DNS_SERVFAIL,
				.ede = DNS_EDE_NETWORK,
				.ede_text = "the host's resolver failed"});
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct egress_address *a = &f->addresses[i];
		struct egress_decision d =
			egress_decide_address(&egress.policy, a, 0, address_forbidden(a));

		if (d.reason == EGRESS_ALLOWED) {
			answer_address(w, m, q, name);
			return;
		}
		egress_address_name(a, &last);
	}
	answer_blocked(w, m, q, name, EGRESS_FORBIDDEN, "", last.text);
}

static void question_free(struct question *q)
{
	lookup_cancel(&q->waiter);
	LIST_REMOVE(q, entry);
	n_questions--;
	if (q->stream) {
		q->stream->asked = false;
		event_add(&q->stream->ev, NULL);
	}
	free(q);
}

static void stream_next(struct stream *s);

static void question_end(struct question *q, const struct found *f)
{
	const struct way w = {q->stream, &q->from};
	struct stream *s = q->stream;

	answer_found(&w, q->bytes, &q->query, q->name, f);
	question_free(q);
	if (s)
		stream_next(s);
}

static void on_found(struct waiter *waiter, const struct found *f)
{
	question_end((struct question *)((char *)waiter - offsetof(struct question, waiter)), f);
}

static void look_up(const struct way *w, const uint8_t *m, size_t size, const struct dns_query *q,
	const char *name)
{
	struct question *n = n_questions < QUESTIONS ? calloc(1, sizeof(*n) + size) : NULL;

	if (!n) {
		answer_code(w, m, q, DNS_SERVFAIL);
		return;
	}
	n->waiter.done = on_found;
	n->stream = w->stream;
	if (w->stream) {
		w->stream->asked = true;
		event_del(&w->stream->ev);
	} else {
		n->from = *w->from;
	}
	n->query = *q;
	n->since = seconds();
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->size = size;
	memcpy(n->bytes, m, size);
	LIST_INSERT_HEAD(&questions, n, entry);
	n_questions++;
	lookup(&n->waiter, name);
}

static void answer_reverse(const struct way *w, const uint8_t *m, const struct dns_query *q,
	uint32_t address)
{
	const char *name = egress_pool_name(egress.pool, address);

	if (!name || (q->type != DNS_PTR && q->type != DNS_ANY)) {
		answer_code(w, m, q, name ? DNS_NOERROR : DNS_NXDOMAIN);
		return;
	}
	send_answer(w, m, q,
		&(struct dns_answer){.ede = DNS_EDE_NONE,
			.type = DNS_PTR,
			.target = name,
			.ttl = EGRESS_POOL_TTL});
}

/* RFC 6761: it is the sandbox's own, whatever the policy says. */
static bool answer_localhost(const struct way *w, const uint8_t *m, const struct dns_query *q,
	const char *name)
{
	static const char below[] = ".localhost";
	struct dns_answer a = {.ede = DNS_EDE_NONE, .ttl = EGRESS_POOL_TTL};
	size_t n = strlen(name);

	if (!streq(name, "localhost") &&
		(n < sizeof(below) || !streq(name + n - sizeof(below) + 1, below)))
		return false;
	if (q->type == DNS_A || q->type == DNS_ANY) {
		a.type = DNS_A;
		memcpy(a.address, (const uint8_t[]){127, 0, 0, 1}, 4);
	} else if (q->type == DNS_AAAA) {
		a.type = DNS_AAAA;
		a.address[15] = 1;
	}
	send_answer(w, m, q, &a);
	return true;
}

/* A question in good order. */
static void decide(const struct way *w, const uint8_t *m, size_t size, const struct dns_query *q)
{
	struct egress_decision d;
	struct egress_name name;
	uint32_t address;

	if (egress_name_parse(q->name, strlen(q->name), &name, NULL) < 0 ||
		name.address.family != 0) {
		char said[sizeof(q->name)];

		snprintf(said, sizeof(said), "%s", q->name);
		text_clean(said);
		answer_blocked(w, m, q, said, EGRESS_BAD_NAME, "", "");
		return;
	}
	if (dns_reverse(name.text, &address) == 0 && egress_pool_has(address)) {
		answer_reverse(w, m, q, address);
		return;
	}
	if (answer_localhost(w, m, q, name.text))
		return;
	d = egress_decide(&egress.policy, &name, 0);
	if (d.reason == EGRESS_NOT_LISTED || d.reason == EGRESS_DENIED)
		answer_blocked(w, m, q, name.text, d.reason, d.rule, "");
	else if (q->type != DNS_A && q->type != DNS_ANY)
		answer_code(w, m, q, DNS_NOERROR); /* it has an IPv4 address, and nothing else */
	else if (d.reason == EGRESS_WAITING)
		answer_address(w, m, q, name.text); /* nobody has said yet that it may be asked for */
	else
		look_up(w, m, size, q, name.text);
}

static void take(const struct way *w, const uint8_t *m, size_t size)
{
	struct dns_query q;

	if (dns_parse(m, size, &q) < 0)
		return;
	if (q.rcode != DNS_NOERROR)
		answer_code(w, m, &q, q.rcode);
	else
		decide(w, m, size, &q);
}

static void on_udp(evutil_socket_t fd, short events, void *arg)
{
	static uint8_t buf[DNS_QUERY_MAX];

	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_in from;
		socklen_t from_size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC,
			(struct sockaddr *)&from, &from_size);

		if (n < 0)
			return;
		if ((size_t)n <= sizeof(buf) && from_size == sizeof(from))
			take(&(struct way){.from = &from}, buf, (size_t)n);
	}
}

static void stream_free(struct stream *s)
{
	struct question *q, *next;

	for (q = LIST_FIRST(&questions); q; q = next) {
		next = LIST_NEXT(q, entry);
		if (q->stream == s)
			question_free(q);
	}
	event_del(&s->ev);
	close(s->fd);
	LIST_REMOVE(s, entry);
	n_streams--;
	free(s);
}

static bool take_whole(struct stream *s)
{
	while (!s->asked && s->n >= 2) {
		size_t size = (size_t)s->buf[0] << 8 | s->buf[1];
		uint8_t m[DNS_QUERY_MAX];

		if (size > sizeof(m))
			return false;
		if (s->n < 2 + size)
			break;
		memcpy(m, s->buf + 2, size);
		s->n -= 2 + size;
		memmove(s->buf, s->buf + 2 + size, s->n);
		take(&(struct way){.stream = s}, m, size);
	}
	return true;
}

/* Takes the questions that are there whole, until one has to wait; it can end the stream. */
static void stream_next(struct stream *s)
{
	bool ok;

	if (s->busy) /* a question that needed not wait */
		return;
	s->busy = true;
	ok = take_whole(s);
	s->busy = false;
	if (!ok)
		stream_free(s);
}

static void on_stream(evutil_socket_t fd, short events, void *arg)
{
	struct stream *s = arg;
	ssize_t n = read(fd, s->buf + s->n, sizeof(s->buf) - s->n);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		stream_free(s);
		return;
	}
	s->n += (size_t)n;
	stream_next(s);
}

static void on_tcp(evutil_socket_t fd, short events, void *arg)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct stream *s = client >= 0 && n_streams < STREAMS ? calloc(1, sizeof(*s)) : NULL;

	if (!s) {
		closep(&client);
		return;
	}
	s->fd = client;
	s->since = seconds();
	LIST_INSERT_HEAD(&streams, s, entry);
	n_streams++;
	event_assign(&s->ev, egress.base, client, EV_READ | EV_PERSIST, on_stream, s);
	event_add(&s->ev, NULL);
}

void stub_tick(uint64_t now)
{
	static const struct found late = {.status = LOOKUP_FAILED};
	struct question *q, *next_q;
	struct stream *s, *next_s;

	for (s = LIST_FIRST(&streams); s; s = next_s) {
		next_s = LIST_NEXT(s, entry);
		if (s->since + STREAM_SECONDS <= now)
			stream_free(s);
	}
	for (q = LIST_FIRST(&questions); q; q = next_q) {
		next_q = LIST_NEXT(q, entry);
		if (q->since + QUESTION_SECONDS > now)
			continue;
		lookup_cancel(&q->waiter);
		question_end(q, &late);
		break; /* what follows on its stream may have changed the list; a second is soon */
	}
}

int stub_init(void)
{
	event_assign(&udp, egress.base, EGRESS_FD_DNS_UDP, EV_READ | EV_PERSIST, on_udp, NULL);
	event_assign(&tcp, egress.base, EGRESS_FD_DNS_TCP, EV_READ | EV_PERSIST, on_tcp, NULL);
	return event_add(&udp, NULL) < 0 || event_add(&tcp, NULL) < 0 ? -ENOMEM : 0;
}
