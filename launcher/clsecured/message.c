#include "config.h"
#include "launcher/clsecured/message.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <time.h>

#define KEY_MAX 31

void message_done(struct message *m)
{
	free(m->data);
	for (size_t i = 0; m->received && i < m->n_fds; i++)
		closep(&m->fds[i]);
	*m = (struct message){0};
}

static bool key_valid(const char *key, size_t n)
{
	if (n == 0 || n > KEY_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((key[i] < 'a' || key[i] > 'z') && key[i] != '-')
			return false;
	return true;
}

int message_add(struct message *m, const char *key, const char *value)
{
	size_t nkey = strlen(key), nvalue = strlen(value);
	char *p;

	if (!key_valid(key, nkey))
		return -EINVAL;
	if (nvalue > MESSAGE_MAX || m->size + nkey + nvalue + 2 > MESSAGE_MAX)
		return -EMSGSIZE;
	p = realloc(m->data, m->size + nkey + nvalue + 2);
	if (!p)
		return -ENOMEM;
	m->data = p;
	p += m->size;
	memcpy(p, key, nkey);
	p[nkey] = '=';
	memcpy(p + nkey + 1, value, nvalue + 1);
	m->size += nkey + nvalue + 2;
	return 0;
}

int message_addf(struct message *m, const char *key, const char *format, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&value, format, ap);
	va_end(ap);
	if (n < 0) {
		value = NULL;
		return -ENOMEM;
	}
	return message_add(m, key, value);
}

const char *message_next(const struct message *m, const char *string)
{
	const char *next = string ? string + strlen(string) + 1 : m->data;

	return m->size > 0 && next < m->data + m->size ? next : NULL;
}

static const char *value_of(const char *string, const char *key)
{
	size_t n = strlen(key);

	return strncmp(string, key, n) == 0 && string[n] == '=' ? string + n + 1 : NULL;
}

const char *message_get(const struct message *m, const char *key)
{
	const char *found = NULL;

	for (const char *s = NULL; (s = message_next(m, s));)
		found = value_of(s, key) ?: found;
	return found;
}

bool message_is(const struct message *m, const char *key, const char *value)
{
	const char *found = message_get(m, key);

	return found && streq(found, value);
}

char **message_list(const struct message *m, const char *key, size_t *ret_n)
{
	size_t n = 0;
	char **list;

	for (const char *s = NULL; (s = message_next(m, s));)
		n += value_of(s, key) != NULL;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return NULL;
	n = 0;
	for (const char *s = NULL; (s = message_next(m, s));)
		if (value_of(s, key))
			list[n++] = (char *)value_of(s, key);
	if (ret_n)
		*ret_n = n;
	return list;
}

bool message_valid(const char *data, size_t size)
{
	if (size == 0 || size > MESSAGE_MAX || data[size - 1] != '\0')
		return false;
	for (const char *s = data; s < data + size; s += strlen(s) + 1) {
		const char *equals = strchr(s, '=');

		if (!equals || !key_valid(s, (size_t)(equals - s)))
			return false;
	}
	return true;
}

uint64_t message_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now = message_now();
		int timeout = -1, n;

		if (deadline != UINT64_MAX) {
			if (now >= deadline)
				return -ETIMEDOUT;
			timeout = deadline - now > INT32_MAX ? INT32_MAX : (int)(deadline - now);
		}
		n = poll(&p, 1, timeout);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
};

static void attach(struct msghdr *h, union control *control, const struct message *m)
{
	if (m->n_fds == 0)
		return;
	*control = (union control){0};
	h->msg_control = control;
	h->msg_controllen = CMSG_SPACE(m->n_fds * sizeof(int));
	control->head.cmsg_level = SOL_SOCKET;
	control->head.cmsg_type = SCM_RIGHTS;
	control->head.cmsg_len = CMSG_LEN(m->n_fds * sizeof(int));
	memcpy(CMSG_DATA(&control->head), m->fds, m->n_fds * sizeof(int));
}

int message_send(int fd, const struct message *m, uint64_t deadline)
{
	uint32_t length = (uint32_t)m->size;
	struct iovec v[2] = {{&length, sizeof(length)}, {m->data, m->size}};
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 2};
	union control control;

	attach(&h, &control, m);
	while (v[0].iov_len + v[1].iov_len > 0) {
		ssize_t n = sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			int err = wait_for(fd, POLLOUT, deadline);

			if (err < 0)
				return err;
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n < 0)
			continue;
		h.msg_control = NULL;
		h.msg_controllen = 0;
		for (size_t i = 0; i < 2; i++) {
			size_t part = (size_t)n < v[i].iov_len ? (size_t)n : v[i].iov_len;

			v[i].iov_base = (char *)v[i].iov_base + part;
			v[i].iov_len -= part;
			n -= (ssize_t)part;
		}
	}
	return 0;
}

/* Keeps at most MESSAGE_FDS descriptors; says whether there were more. */
static bool detach(struct msghdr *h, struct message *m)
{
	bool fits = !(h->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int got;

			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (m->n_fds < MESSAGE_FDS)
				m->fds[m->n_fds++] = got;
			else {
				close(got);
				fits = false;
			}
		}
	}
	return fits;
}

/* size bytes; -ENODATA when there is none at all. */
static int recv_all(int fd, char *data, size_t size, struct message *m, uint64_t deadline)
{
	size_t have = 0;

	while (have < size) {
		union control control;
		struct iovec v = {data + have, size - have};
		struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int err;

		if (n > 0) {
			if (!detach(&h, m))
				return -EPROTO;
			have += (size_t)n;
			continue;
		}
		if (n == 0)
			return have == 0 ? -ENODATA : -EPROTO;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		err = wait_for(fd, POLLIN, deadline);
		if (err < 0)
			return err;
	}
	return 0;
}

int message_recv(int fd, struct message *ret_message, uint64_t deadline)
{
	_cleanup_message_ struct message m = {.received = true};
	uint32_t length;
	int err;

	err = recv_all(fd, (char *)&length, sizeof(length), &m, deadline);
	if (err < 0)
		return err;
	if (length > MESSAGE_MAX)
		return -EMSGSIZE;
	m.data = malloc(length + 1);
	if (!m.data)
		return -ENOMEM;
	err = recv_all(fd, m.data, length, &m, deadline);
	if (err < 0)
		return err == -ENODATA ? -EPROTO : err;
	m.size = length;
	if (!message_valid(m.data, m.size))
		return -EPROTO;
	*ret_message = m;
	m = (struct message){0};
	return 0;
}
