#include "config.h"
#include "launcher/clsecured/serve.h"
#include "lib/base/names.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>

static const struct op {
	const char *name;
	op_fn *run;
	bool gateway; /* also for those who come through the gateway */
} ops[] = {
	{"find", op_find, false},
	{"add", op_add, false},
	{"set", op_set, false},
	{"remove", op_remove, false},
	{"list", op_list, true},
	{"info", op_info, false},
	{"findings", op_findings, false},
	{"sessions", op_sessions, false},
	{"kill", op_kill, false},
	{"open", op_open, true},
	{"net", op_net, false},
	{"refuse", op_refuse, false},
	{"dial", op_dial, false},
};

int reply(struct request *r, const char *type, struct message *m)
{
	_cleanup_message_ struct message all = {0};
	int err = message_add(&all, "type", type);

	for (const char *s = NULL; err == 0 && m && (s = message_next(m, s));) {
		_cleanup_free_ char *key = strndup(s, strcspn(s, "="));

		err = key ? message_add(&all, key, s + strlen(key) + 1) : -ENOMEM;
	}
	if (err < 0)
		return err;
	if (m) {
		memcpy(all.fds, m->fds, sizeof(all.fds));
		all.n_fds = m->n_fds;
	}
	return message_send(r->conn, &all, message_now() + REPLY_MS);
}

int note(struct request *r, const char *format, ...)
{
	_cleanup_message_ struct message m = {0};
	char text[512];
	va_list ap;
	int err;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_clean(text);
	err = message_add(&m, "text", text);
	return err < 0 ? err : reply(r, "note", &m);
}

void remedy_set(struct request *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->remedy, sizeof(r->remedy), format, ap);
	va_end(ap);
	text_clean(r->remedy);
}

bool peer_gone(const struct request *r)
{
	struct pollfd p = {.fd = r->conn, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void finish(struct request *r, int err, const struct error *e)
{
	_cleanup_message_ struct message m = {0};

	if (message_addf(&m, "code", "%d", err) < 0 ||
	    (err < 0 && message_add(&m, "text",
			e->text[0] ? e->text : strerrordesc_np(-err) ?: "failed") < 0) ||
	    (err < 0 && r->remedy[0] && message_add(&m, "remedy", r->remedy) < 0))
		return;
	reply(r, "end", &m);
}

static int dispatch(struct request *r, struct error *e)
{
	const char *name = message_get(r->m, "op") ?: "";

	for (size_t i = 0; i < ELEMENTSOF(ops); i++) {
		if (!streq(name, ops[i].name))
			continue;
		if (r->gateway && !ops[i].gateway)
			return error_set(e, -EPERM, "the gateway may not ask for '%s'", name);
		return ops[i].run(r, e);
	}
	return error_set(e, -EBADRQC, "clsecured does not know '%s'", name);
}

/* Who is at the other end, by the kernel's word. */
static int identify(struct request *r, struct error *e)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(r->conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return error_errno(e, -errno, "ask who is connected");
	if (peer.uid == GATEWAY_UID) {
		r->gateway = true;
		return gateway_person(r, e);
	}
	if (peer.uid >= UID_RESERVED_FIRST && peer.uid <= CLSECURE_UID_LAST)
		return error_set(e, -EPERM, "uid %u is a project's: it may ask for nothing",
			peer.uid);
	r->admin = peer.uid == 0;
	return person_by_uid(peer.uid, &r->who, e);
}

int serve(int conn)
{
	_cleanup_message_ struct message m = {0};
	struct request r = {.conn = conn, .m = &m};
	struct error e = {0};
	int err;

	err = message_recv(conn, &m, message_now() + REQUEST_MS);
	if (err == -ENODATA || err == -ECONNRESET)
		return 0;
	if (err < 0)
		error_errno(&e, err, "read the request");
	if (err == 0)
		err = identify(&r, &e);
	if (err == 0)
		err = dispatch(&r, &e);
	finish(&r, err, &e);
	person_done(&r.who);
	return err < 0;
}
