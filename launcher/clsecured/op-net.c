/*
 * net, refuse, dial: what a project's network reached and refused; Ask= answered by no; a port
 * inside.
 */
#include "config.h"
#include "launcher/clsecured/projects.h"
#include "lib/base/macros.h"
#include "lib/policy/words.h"
#include "lib/sandbox/reached.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define DIAL_MS 2000

struct found {
	struct egress_record *records; /* owned */
	size_t n;
	uint64_t next;
	bool runs;
};

static void found_done(struct found *f)
{
	free(f->records);
}

/* The keeper's memfd. */
static int take_records(int fd, struct found *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size % (off_t)sizeof(*f->records) != 0 ||
		(size_t)st.st_size / sizeof(*f->records) > REACHED_MAX)
		return -EPROTO;
	f->n = (size_t)st.st_size / sizeof(*f->records);
	f->records = calloc(f->n + 1, sizeof(*f->records));
	if (!f->records)
		return -ENOMEM;
	return pread(fd, f->records, (size_t)st.st_size, 0) == st.st_size ? 0 : -EIO;
}

static int ask_keeper(int conn, const char *from, struct found *f, struct error *e)
{
	struct keeper_request q = {.version = KEEPER_VERSION, .op = KEEPER_REACHED};
	struct keeper_reply reply_;
	_cleanup_close_ int fd = -1;
	size_t n_fds = 1;
	int err;

	snprintf(q.service, sizeof(q.service), "%s", from);
	err = keeper_call(conn, &q, &reply_, &fd, &n_fds, KEEPER_WAIT_MS, e);
	if (err < 0)
		return err;
	err = n_fds == 1 ? take_records(fd, f) : -EPROTO;
	f->next = reply_.since;
	f->runs = true;
	return err < 0 ? error_errno(e, err, "read what was reached") : 0;
}

/* Of sandboxes that have ended. */
static int from_disk(const char *slug, uint64_t from, struct found *f)
{
	struct reached all = {0};
	int err;

	reached_load(slug, &all);
	err = reached_since(&all, from, &f->records, &f->n);
	f->next = all.change;
	reached_done(&all);
	return err;
}

static int find(const char *slug, const char *from, struct found *f, struct error *e)
{
	_cleanup_close_ int conn = -1;
	int err = keeper_connect(slug, false, NULL, KEEPER_WAIT_MS, &conn, e);

	if (err == 0)
		return ask_keeper(conn, from, f, e);
	if (err != -ENOENT)
		return err;
	err = from_disk(slug, strtoull(from, NULL, 10), f);
	return err < 0 ? error_errno(e, err, "read what was reached") : 0;
}

static const char *verdict(const struct egress_record *r)
{
	if (egress_is_refusal(r->reason))
		return "refused";
	if (r->reason == EGRESS_WAITING)
		return r->open > 0 ? "waits" : "waited";
	if (r->reason == EGRESS_ALLOWED || r->reason == EGRESS_LEARNED)
		return "reached";
	return "failed";
}

static int add_number(struct message *m, const char *key, uint64_t n)
{
	return message_addf(m, key, "%llu", (unsigned long long)n);
}

static int record_row(struct request *r, const struct egress_record *x)
{
	_cleanup_message_ struct message m = {0};
	/* a rule of its own would let it through */
	bool allowable = x->reason == EGRESS_NOT_LISTED || x->reason == EGRESS_PORT ||
		x->reason == EGRESS_LEARNED || x->reason == EGRESS_RAW;
	int err = message_add(&m, "name", x->name)
		?: message_add(&m, "verdict", verdict(x)) ?:
		message_add(&m, "reason", egress_reason_text(x->reason)) ?:
		message_add(&m, "rule", x->rule) ?:
		message_add(&m, "detail", x->detail) ?:
		add_number(&m, "port", x->port) ?:
		add_number(&m, "count", x->count) ?:
		add_number(&m, "open", x->open) ?:
		add_number(&m, "sent", x->sent) ?:
		add_number(&m, "received", x->received) ?:
		add_number(&m, "first", x->first) ?:
		add_number(&m, "last", x->last);

	if (err == 0 && allowable)
		err = message_add(&m, "allowable", "1");
	return err < 0 ? err : reply(r, "row", &m);
}

static int last_row(struct request *r, const struct policy *p, const struct found *f)
{
	_cleanup_message_ struct message m = {0};
	int err = add_number(&m, "next", f->next)
		?: message_add(&m, "project", policy_slug(p)) ?:
		message_add(&m, "network", policy_choice(p, SETTING_NETWORK)) ?:
		message_add(&m, "runs", f->runs ? "1" : "0");

	return err < 0 ? err : reply(r, "row", &m);
}

int op_net(struct request *r, struct error *e)
{
	const char *from = message_get(r->m, "from") ?: "0";
	_cleanup_(found_done) struct found f = {0};
	_cleanup_policy_ struct policy *p = NULL;
	char slug[SLUG_MAX + 1];
	int err = project_named(r, slug, e);

	if (err == 0)
		err = project_for(r, slug, RIGHT_ENTER, NULL, 0, &p, e);
	if (err == 0)
		err = find(slug, from, &f, e);
	for (size_t i = 0; err == 0 && i < f.n; i++)
		err = record_row(r, &f.records[i]);
	return err < 0 ? err : last_row(r, p, &f);
}

static int port_of(const struct request *r, uint32_t *ret_port, struct error *e)
{
	const char *text = message_get(r->m, "port") ?: "";
	uint64_t port;

	if (parse_count(text, &port) < 0 || port > UINT16_MAX)
		return error_set(e, -EINVAL, "'%s' is no port", text);
	*ret_port = (uint32_t)port;
	return 0;
}

int op_refuse(struct request *r, struct error *e)
{
	struct keeper_request q = {.version = KEEPER_VERSION, .op = KEEPER_REFUSE};
	const char *name = message_get(r->m, "name") ?: "";
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_close_ int conn = -1;
	struct keeper_reply reply_;
	char slug[SLUG_MAX + 1];
	int err = project_named(r, slug, e);

	if (err == 0)
		err = project_for(r, slug, RIGHT_CHANGE, NULL, POLICY_TRUSTED_ONLY, &p, e);
	if (err == 0)
		err = port_of(r, &q.session, e);
	if (err < 0)
		return err;
	if (snprintf(KEEPER_NAME(&q), KEEPER_NAME_SIZE, "%s", name) >= (int)KEEPER_NAME_SIZE)
		return error_set(e, -EINVAL, "no name and port");
	err = keeper_connect(slug, false, NULL, KEEPER_WAIT_MS, &conn, e);
	if (err == -ENOENT)
		return error_set(e, -ESRCH, "no sandbox of '%s' runs", slug);
	return err < 0 ? err : keeper_call(conn, &q, &reply_, NULL, NULL, KEEPER_WAIT_MS, e);
}

/* -ECONNREFUSED: nobody listens there. */
static int dial(const char *slug, uint32_t port, const char *family, int *ret_fd, struct error *e)
{
	struct keeper_request q = {.version = KEEPER_VERSION, .op = KEEPER_DIAL, .session = port};
	_cleanup_close_ int conn = -1, fd = -1;
	struct pollfd p = {.events = POLLOUT};
	socklen_t size = sizeof(int);
	struct keeper_reply reply_;
	size_t n_fds = 1;
	int err = keeper_connect(slug, false, NULL, KEEPER_WAIT_MS, &conn, e), code = ETIMEDOUT;

	if (err == -ENOENT)
		return error_set(e, -ESRCH, "no sandbox of '%s' runs", slug);
	snprintf(q.service, sizeof(q.service), "%s", family);
	if (err == 0)
		err = keeper_call(conn, &q, &reply_, &fd, &n_fds, KEEPER_WAIT_MS, e);
	if (err == 0 && n_fds != 1)
		err = error_set(e, -EPROTO, "the sandbox's keeper gave no connection");
	if (err < 0)
		return err;
	p.fd = fd;
	if (poll(&p, 1, DIAL_MS) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		code = errno;
	if (code != 0)
		return error_errno(e, -code, "port %u of the sandbox", port);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int op_dial(struct request *r, struct error *e)
{
	uint32_t port = 0;
	_cleanup_message_ struct message m = {0};
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_close_ int fd = -1;
	char slug[SLUG_MAX + 1];
	int err = project_named(r, slug, e);

	if (err == 0)
		err = project_for(r, slug, RIGHT_ENTER, NULL, POLICY_TRUSTED_ONLY, &p, e);
	if (err == 0)
		err = port_of(r, &port, e);
	if (err < 0)
		return err;
	err = dial(slug, port, "4", &fd, e);
	if (err == -ECONNREFUSED)
		err = dial(slug, port, "6", &fd, e);
	if (err < 0)
		return err;
	m.fds[0] = fd;
	m.n_fds = 1;
	return reply(r, "row", &m);
}
