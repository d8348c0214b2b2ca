/* The keeper's requests. */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define RECORDS ((EGRESS_MESSAGE_MAX - sizeof(struct egress_reply)) / sizeof(struct egress_record))

static struct event control;
static uint64_t told; /* the change that the keeper read, or was told of, last */

static void reply(enum egress_op op, int status, uint64_t next, const void *more, size_t size)
{
	struct egress_reply head = {.version = EGRESS_VERSION,
		.op = op,
		.status = status,
		.next = next};
	struct iovec iov[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)more, size}};
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = size > 0 ? 2 : 1};

	/* A keeper that does not read gets no more; it asks anew if it wants to. */
	while (sendmsg(EGRESS_FD_CONTROL, &h, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EINTR)
		;
}

static void set_policy(const char *text, size_t size)
{
	struct egress_policy p;
	struct error e = {0};
	int err = egress_policy_parse(text, size, &p, &e);

	egress_policy_done(&egress.policy);
	if (err == 0)
		egress.policy = p;
	conns_policy();
	reply(EGRESS_POLICY, err, 0, e.text, err < 0 ? strlen(e.text) : 0);
}

static void give_log(uint64_t from)
{
	static struct egress_record records[RECORDS];
	size_t n;
	bool more = journal_read(&from, records, ELEMENTSOF(records), &n);

	told = from;
	reply(EGRESS_LOG, more, from, records, n * sizeof(records[0]));
}

static void refuse(const char *text, size_t size)
{
	const char *blank = memchr(text, ' ', size);
	struct egress_name name;
	uint16_t port;

	if (!blank ||
		egress_port_parse(blank + 1, size - (size_t)(blank + 1 - text), &port) < 0 ||
		egress_name_parse(text, (size_t)(blank - text), &name, NULL) < 0) {
		reply(EGRESS_REFUSE, -EINVAL, 0, NULL, 0);
		return;
	}
	conns_refuse(name.text, port);
	reply(EGRESS_REFUSE, 0, 0, NULL, 0);
}

static void on_request(evutil_socket_t fd, short events, void *arg)
{
	static union {
		struct egress_request head;
		char bytes[EGRESS_MESSAGE_MAX];
	} m;
	ssize_t n = recv(fd, m.bytes, sizeof(m.bytes), MSG_DONTWAIT | MSG_TRUNC);
	const char *text = m.bytes + sizeof(m.head);
	size_t size = (size_t)n - sizeof(m.head);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* the keeper has ended */
		event_base_loopbreak(egress.base);
		return;
	}
	if ((size_t)n < sizeof(m.head) || (size_t)n > sizeof(m.bytes) ||
		m.head.version != EGRESS_VERSION) {
		reply(0, -EPROTO, 0, NULL, 0);
		return;
	}
	switch (m.head.op) {
	case EGRESS_POLICY:
		set_policy(text, size);
		break;
	case EGRESS_LOG:
		give_log(m.head.from);
		break;
	case EGRESS_REFUSE:
		refuse(text, size);
		break;
	default:
		reply(m.head.op, -EOPNOTSUPP, 0, NULL, 0);
	}
}

int control_init(void)
{
	event_assign(&control, egress.base, EGRESS_FD_CONTROL, EV_READ | EV_PERSIST, on_request,
		NULL);
	event_priority_set(&control, 0);
	if (event_add(&control, NULL) < 0)
		return -ENOMEM;
	reply(EGRESS_READY, 0, 0, NULL, 0);
	/* A keeper sends the policy at once: it counts before the first question is answered. */
	on_request(EGRESS_FD_CONTROL, EV_READ, NULL);
	return 0;
}

void control_tick(void)
{
	static uint64_t announced;

	if (journal_changes() == told || announced > told)
		return;
	announced = journal_changes();
	reply(EGRESS_CHANGED, 0, 0, NULL, 0);
}
