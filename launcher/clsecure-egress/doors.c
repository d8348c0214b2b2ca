/* Where connections from inside come in: those that were steered here, and those to the proxy. */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define AT_ONCE 16

static struct event tcp, tcp6, proxy;

/* Whom a connection that was steered here was made to. */
static int meant(int fd, struct egress_address *ret, uint16_t *ret_port)
{
	struct sockaddr_storage ss = {0};
	socklen_t size = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &size) < 0)
		return -errno;
	return egress_address_from((struct sockaddr *)&ss, ret, ret_port);
}

static uint32_t host_order(const struct egress_address *a)
{
	uint32_t v;

	memcpy(&v, a->bytes, 4);
	return a->family == AF_INET ? ntohl(v) : 0;
}

static bool is_loopback(const struct egress_address *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return memcmp(a->bytes, one, 16) == 0;
}

/* An address of the pool means its name. */
static bool set_name(struct conn *c, const struct egress_name *name)
{
	uint32_t address = host_order(&name->address);
	const char *known = egress_pool_name(egress.pool, address);

	c->name = malloc(sizeof(*c->name));
	if (!c->name)
		return false;
	*c->name = *name;
	if (!egress_pool_has(address))
		return true;
	if (!known)
		return false;
	*c->name = (struct egress_name){0};
	snprintf(c->name->text, sizeof(c->name->text), "%s", known);
	c->pool = address;
	egress_pool_hold(egress.pool, address);
	return true;
}

static void forward(int fd)
{
	struct conn *c = conn_new(fd);
	struct egress_address to = {0};
	struct egress_name name;

	if (!c)
		return;
	c->state = CONN_LOOKUP;
	if (meant(fd, &to, &c->port) < 0) {
		conn_free(c, true);
		return;
	}
	egress_address_name(&to, &name);
	c->host_port = is_loopback(&to);
	if (!set_name(c, &name)) {
		conn_refuse(c, EGRESS_BAD_NAME, NULL, "an address that stands for no name");
		return;
	}
	conn_go(c);
}

static int next_client(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static void on_tcp(evutil_socket_t listener, short events, void *arg)
{
	int fd;

	for (int i = 0; i < AT_ONCE && (fd = next_client(listener)) >= 0; i++)
		forward(fd);
}

static void on_proxy(evutil_socket_t listener, short events, void *arg)
{
	int fd;

	for (int i = 0; i < AT_ONCE && (fd = next_client(listener)) >= 0; i++) {
		struct conn *c = conn_new(fd);

		if (!c)
			continue;
		c->by_proxy = true;
		c->proxy = PROXY_HTTP;
		conn_state(c, CONN_PROXY);
	}
}

/* The request is whole: what stands behind it is for the server. */
static void accepted(struct conn *c, const char *data, size_t n, const struct proxy_request *r)
{
	_cleanup_free_ char *head = NULL;
	size_t size = 0, rest = n - r->size;
	int err;

	if (r->kind == PROXY_HTTP) {
		_cleanup_free_ char *all = NULL;

		head = proxy_rewrite(data, r, &size);
		all = head ? malloc(size + rest) : NULL;
		if (all) {
			memcpy(all, head, size);
			memcpy(all + size, data + r->size, rest);
		}
		err = all ? relay_hold(c, INSIDE, all, size + rest, 0) : -ENOMEM;
	} else {
		err = relay_hold(c, INSIDE, data + r->size, rest, 0);
	}
	if (err < 0) {
		conn_free(c, true);
		return;
	}
	c->port = r->port;
	if (!set_name(c, &r->name)) {
		conn_refuse(c, EGRESS_BAD_NAME, NULL, "an address that stands for no name");
		return;
	}
	conn_go(c);
}

static void bad_request(struct conn *c, const struct proxy_request *r, const struct error *e)
{
	c->name = r->said[0] ? calloc(1, sizeof(*c->name)) : NULL;
	if (c->name)
		snprintf(c->name->text, sizeof(c->name->text), "%s", r->said);
	conn_refuse(c, EGRESS_BAD_NAME, NULL, e->text);
}

void door_proxy(struct conn *c)
{
	struct proxy_request r;
	struct error e = {0};
	char *data;
	size_t n;
	int err = relay_read(c, INSIDE, PROXY_HEAD_MAX - c->flow[INSIDE].n, &data, &n);

	if (err == -EAGAIN)
		return;
	if (err == 0)
		err = proxy_parse(data, n, c->greeted, &r, &e);
	else
		err = -EPIPE;
	if (err == 0 && r.kind == PROXY_SOCKS_GREETING) {
		c->greeted = true;
		c->proxy = PROXY_SOCKS;
		(void)send(c->fd[INSIDE], proxy_socks_greeting, sizeof(proxy_socks_greeting),
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (relay_hold(c, INSIDE, data + r.size, n - r.size, 0) < 0)
			conn_free(c, true);
		return;
	}
	if (err == -EAGAIN && n < PROXY_HEAD_MAX)
		err = relay_hold(c, INSIDE, data, n, 0) ?: -EAGAIN;
	if (err == -EAGAIN)
		return;
	if (err == -EPIPE || err == -ENOMEM) {
		conn_free(c, true);
		return;
	}
	c->proxy = (uint8_t)r.kind;
	if (err < 0)
		bad_request(c, &r, &e);
	else
		accepted(c, data, n, &r);
}

int doors_init(void)
{
	event_assign(&tcp, egress.base, EGRESS_FD_TCP, EV_READ | EV_PERSIST, on_tcp, NULL);
	event_assign(&proxy, egress.base, EGRESS_FD_PROXY, EV_READ | EV_PERSIST, on_proxy, NULL);
	if (event_add(&tcp, NULL) < 0 || event_add(&proxy, NULL) < 0)
		return -ENOMEM;
	if (egress.tcp6) {
		event_assign(&tcp6, egress.base, EGRESS_FD_TCP6, EV_READ | EV_PERSIST, on_tcp,
			NULL);
		event_add(&tcp6, NULL);
	}
	return 0;
}
