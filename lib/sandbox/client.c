/*
 * Find or start the keeper of a project.
 *
 * A connection counts only after the keeper has answered on it: the socket of a keeper that is
 * about to leave still takes connections.  End of file or a refused connection means: start one. Of
 * two that start at once one gets the lock; the other leaves with -EEXIST, and its caller connects
 * to the winner.
 */
#include "config.h"
#include "lib/sandbox/client.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/sandbox/spawn.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define RETRY_MS 10
#define STARTS_MAX 2 /* a keeper that dies while being asked is replaced once */

struct search {
	const char *slug;
	const char *overrides; /* packed */
	size_t overrides_size;
	uint64_t deadline;
	bool start; /* to enter: only one of this version will do */
	unsigned starts;
};

/* Root's own directory, or nothing: a socket found elsewhere could be anybody's. */
static int run_dir_check(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
		return -EPERM;
	return 0;
}

static int run_dirs(const char *slug, bool make, struct error *e)
{
	static const mode_t modes[] = {0755, 0700};
	char path[128];

	for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
		int err = run_path(i == 0 ? "" : slug, "", path, sizeof(path));

		if (err == 0 && make && mkdir(path, modes[i]) < 0 && errno != EEXIST)
			err = -errno;
		if (err == 0)
			err = run_dir_check(path);
		if (err < 0)
			return error_errno(e, err, "directory '%s'", path);
	}
	return 0;
}

static int connect_once(const char *slug, int *ret_conn)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int err = run_path(slug, "/keeper.sock", a.sun_path, sizeof(a.sun_path));

	if (err < 0)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	err = wire_peer_root(fd, NULL);
	if (err < 0)
		return err;
	*ret_conn = TAKE_FD(fd);
	return 0;
}

static unsigned left_ms(uint64_t deadline)
{
	uint64_t now = now_ms();

	return now < deadline ? (unsigned)(deadline - now) : 0;
}

static int call(int conn, const struct keeper_request *q, int with_fd,
	struct keeper_reply *ret_reply, int *ret_fds, size_t *n_fds, unsigned timeout_ms,
	struct error *e)
{
	struct keeper_request request = *q;
	struct keeper_reply reply = {0};
	int err;

	request.version = keeper_common(q->op) ? KEEPER_COMMON : KEEPER_VERSION;
	err = wire_send(conn, &request, sizeof(request), &with_fd, with_fd >= 0);
	if (err == 0)
		err = wire_receive(conn, &reply, sizeof(reply), ret_fds, n_fds,
			now_ms() + timeout_ms);
	if (err < 0)
		return error_errno(e, err, "the sandbox's keeper does not answer");
	if (reply.version != KEEPER_VERSION && !keeper_common(q->op))
		return error_set(e, -EPROTO, "the sandbox's keeper is of another version");
	reply.text[sizeof(reply.text) - 1] = '\0';
	text_clean(reply.text);
	*ret_reply = reply;
	if (reply.status < 0)
		return error_set(e, reply.status, "%s",
			reply.text[0] ? reply.text : "refused by the sandbox's keeper");
	return 0;
}

int keeper_call(int conn, const struct keeper_request *q, struct keeper_reply *ret_reply,
	int *ret_fds, size_t *n_fds, unsigned timeout_ms, struct error *e)
{
	return call(conn, q, -1, ret_reply, ret_fds, n_fds, timeout_ms, e);
}

int keeper_give(int conn, const struct keeper_request *q, int fd, unsigned timeout_ms,
	struct error *e)
{
	struct keeper_reply reply;

	return call(conn, q, fd, &reply, NULL, NULL, timeout_ms, e);
}

/*
 * -EPIPE, -ECONNREFUSED, -ENOENT: there is no keeper, or it is leaving.  -EPROTO: one that can be
 * looked at and ended, and nothing else.
 */
static int find(struct search *s, int *ret_conn)
{
	struct keeper_request ping = {.op = KEEPER_HERE};
	_cleanup_close_ int conn = -1;
	struct keeper_reply reply = {0};
	int err = connect_once(s->slug, &conn);

	if (err < 0)
		return err;
	err = keeper_call(conn, &ping, &reply, NULL, NULL, left_ms(s->deadline), NULL);
	if (err < 0 && err != -ENOTSUP)
		return err;
	if (s->start && reply.version != KEEPER_VERSION)
		return -EPROTO;
	*ret_conn = TAKE_FD(conn);
	return 0;
}

static bool nobody_there(int err)
{
	return err == -ENOENT || err == -ECONNREFUSED || err == -EPIPE || err == -ECONNRESET;
}

/* 0: one stands or another caller's does; else why not. */
static int start_one(struct search *s, struct error *e)
{
	_cleanup_close_ int report = -1;
	struct keeper_reply reply;
	int err;

	err = keeper_spawn(s->slug, s->overrides, s->overrides_size, &report, e);
	if (err < 0)
		return err;
	err = wire_receive(report, &reply, sizeof(reply), NULL, NULL, s->deadline);
	if (err == -ETIMEDOUT)
		return error_set(e, err, "the sandbox of '%s' was not ready in %u seconds", s->slug,
			KEEPER_WAIT_MS / 1000);
	if (err < 0) {
		/* It died: once more, unless that was once more already. */
		if (++s->starts < STARTS_MAX)
			return 0;
		return error_set(e, err, "the keeper of '%s' died while it built the sandbox",
			s->slug);
	}
	if (reply.version != KEEPER_VERSION)
		return error_set(e, -EPROTO, "the keeper of '%s' is of another version", s->slug);
	if (reply.status == 0 || reply.status == -EEXIST)
		return 0;
	reply.text[sizeof(reply.text) - 1] = '\0';
	text_clean(reply.text);
	return error_set(e, reply.status, "%s", reply.text);
}

/* A sandbox that runs with other values than asked for is another sandbox. */
static int overrides_same(const struct search *s, struct error *e)
{
	_cleanup_free_ char *data = malloc(OVERRIDES_MAX + 1);
	_cleanup_close_ int fd = -1;
	char path[128];
	ssize_t n;
	int err;

	if (s->overrides_size == 0)
		return 0;
	if (!data)
		return error_errno(e, -ENOMEM, "compare the settings of '%s'", s->slug);
	err = run_path(s->slug, "/overrides", path, sizeof(path));
	fd = err == 0 ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	n = fd >= 0 ? read(fd, data, OVERRIDES_MAX + 1) : -1;
	if (n == (ssize_t)s->overrides_size && memcmp(data, s->overrides, s->overrides_size) == 0)
		return 0;
	return error_set(e, -EBUSY,
		"a sandbox of '%s' already runs with other settings: end its sessions first",
		s->slug);
}

static void pause_ms(unsigned ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};

	nanosleep(&t, NULL);
}

static int find_or_start(struct search *s, int *ret_conn, struct error *e)
{
	while (now_ms() < s->deadline) {
		int err = find(s, ret_conn);

		if (err == 0)
			return 0;
		if (err == -EAGAIN) { /* its queue is full */
			pause_ms(RETRY_MS);
			continue;
		}
		if (err == -ETIMEDOUT)
			return error_set(e, err, "the keeper of '%s' does not answer", s->slug);
		if (err == -EPROTO)
			return error_set(e, err,
				"the sandbox of '%s' was started by another version of clsecure: "
				"'clsecure kill %s' ends it",
				s->slug, s->slug);
		if (!nobody_there(err))
			return error_errno(e, err, "the keeper of '%s'", s->slug);
		err = start_one(s, e);
		if (err < 0)
			return err;
		if (find(s, ret_conn) == 0)
			return 0;
		pause_ms(RETRY_MS);
	}
	return error_set(e, -ETIMEDOUT, "the sandbox of '%s' was not ready in %u seconds", s->slug,
		KEEPER_WAIT_MS / 1000);
}

int keeper_connect(const char *slug, bool start, char *const *overrides, unsigned timeout_ms,
	int *ret_conn, struct error *e)
{
	struct search s = {.slug = slug, .deadline = now_ms() + timeout_ms, .start = start};
	_cleanup_close_ int conn = -1;
	_cleanup_free_ char *packed = NULL;
	int err;

	if (!slug_valid(slug))
		return error_set(e, -EINVAL, "'%s' is no name of a project", slug);
	err = overrides_pack(overrides, &packed, &s.overrides_size);
	if (err < 0)
		return error_errno(e, err, "settings for '%s'", slug);
	s.overrides = packed;
	if (!start) {
		err = find(&s, &conn);
		if (nobody_there(err) || err == -ENOTDIR)
			return error_set(e, -ENOENT, "no sandbox of '%s' runs", slug);
		if (err < 0)
			return error_errno(e, err, "the keeper of '%s'", slug);
	} else {
		err = run_dirs(slug, true, e);
		if (err == 0)
			err = find_or_start(&s, &conn, e);
		if (err < 0)
			return err;
	}
	err = overrides_same(&s, e);
	if (err < 0)
		return err;
	*ret_conn = TAKE_FD(conn);
	return 0;
}
