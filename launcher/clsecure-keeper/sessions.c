#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define KILL_DEPTH 64

/* The process that connected: from 6.5 on the kernel names it without a race. */
static int holder_pidfd(int conn, pid_t pid)
{
	socklen_t size = sizeof(int);
	int fd = -1;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		return fd;
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

struct session *session_find(struct keeper *k, uint32_t id)
{
	for (size_t i = 0; i < k->n_sessions; i++)
		if (k->sessions[i].id == id)
			return &k->sessions[i];
	return NULL;
}

void refresh(struct keeper *k)
{
	struct error e = {0};

	if (policy_refresh(k->policy, &e) < 0)
		syslog(LOG_WARNING, "%s: its settings stay as they were: %s", k->slug, e.text);
	egress_update(&k->egress, k->policy);
}

static int may_enter(struct keeper *k, const struct connection *c, struct error *e)
{
	uint64_t max;

	if (c->session != 0)
		return error_set(e, -EBUSY, "this connection has a session already");
	if (policy_refresh(k->policy, e) < 0)
		return e->code;
	egress_update(&k->egress, k->policy);
	max = policy_number(k->policy, SETTING_MAX_SESSIONS);
	if (policy_expires(k->policy) <= (uint64_t)time(NULL))
		return error_set(e, -EKEYEXPIRED, "the project '%s' has expired", k->slug);
	if (k->n_sessions >= max)
		return error_set(e, -EUSERS, "'%s' has its %llu sessions already (MaxSessions)",
			k->slug, (unsigned long long)max);
	return fault("keeper-enter");
}

static void text_end(char *text, size_t size)
{
	text[size - 1] = '\0';
	text_clean(text);
}

int session_enter(struct keeper *k, struct connection *c, const struct keeper_request *q,
	struct keeper_reply *r, struct error *e)
{
	struct session s = {.who = *q, .since = (uint64_t)time(NULL), .program = -1}, *room;
	int err = may_enter(k, c, e);

	if (err < 0)
		return err;
	err = wire_peer_root(c->fd, &s.holder);
	if (err == 0) {
		s.pidfd = holder_pidfd(c->fd, s.holder);
		err = s.pidfd < 0 ? s.pidfd : 0;
	}
	if (err < 0)
		return error_errno(e, err, "cannot watch the process that enters");
	room = reallocarray(k->sessions, k->n_sessions + 1, sizeof(*room));
	if (!room) {
		close(s.pidfd);
		return error_errno(e, -ENOMEM, "no room for a session");
	}
	text_end(s.who.service, sizeof(s.who.service));
	text_end(s.who.tty, sizeof(s.who.tty));
	text_end(s.who.host, sizeof(s.who.host));
	text_end(s.who.who, sizeof(s.who.who));
	s.id = ++k->last_id;
	k->sessions = room;
	k->sessions[k->n_sessions++] = s;
	c->session = s.id;
	r->session = s.id;
	limits_tell(k->policy, r);
	return 0;
}

bool session_holder_lives(const struct session *s)
{
	struct pollfd p = {.fd = s->pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

int session_place(struct keeper *k, struct connection *c, int *ret_logind, struct error *e)
{
	const struct session *s = session_find(k, c->session);
	int err;

	if (!s || !session_holder_lives(s))
		return error_set(e, -ESRCH, "this session has ended");
	err = fault("keeper-place");
	if (err < 0)
		return error_errno(e, err, "cannot place the session");
	*ret_logind = scope_of_session(k, s);
	return 0;
}

int session_ready(struct keeper *k, struct connection *c, struct error *e)
{
	struct session *s = session_find(k, c->session);

	if (!s)
		return error_set(e, -ESRCH, "this session has ended");
	s->ready = true;
	syslog(LOG_INFO, "%s: session %u opened by %s (%s)", k->slug, s->id, s->who.service,
		s->who.who[0] ? s->who.who : "unknown");
	return 0;
}

int session_program(struct keeper *k, struct connection *c, int pidfd, struct error *e)
{
	struct session *s = session_find(k, c->session);

	if (!s)
		return error_set(e, -ESRCH, "this session has ended");
	if (pidfd < 0 || s->program >= 0)
		return error_set(e, -EINVAL, "a session has one program, named by a descriptor");
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
		return error_errno(e, -errno, "the program of a session");
	s->program = pidfd;
	return 0;
}

void session_end(struct keeper *k, size_t i)
{
	struct session *s = &k->sessions[i];

	syslog(LOG_INFO, "%s: session %u ended", k->slug, s->id);
	for (size_t c = 0; c < k->n_connections; c++)
		if (k->connections[c].session == s->id) {
			k->connections[c].session = 0;
			k->connections[c].asked = true;
		}
	close(s->pidfd);
	if (s->program >= 0) {
		syscall(SYS_pidfd_send_signal, s->program, SIGKILL, NULL, 0);
		close(s->program);
	}
	k->sessions[i] = k->sessions[--k->n_sessions];
	if (k->n_sessions == 0) {
		k->idle_since = now_ms();
		refresh(k); /* Linger= */
	}
}

static bool inside(const struct keeper *k, pid_t pid)
{
	char path[64];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	if (stat(path, &theirs) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)k->sandbox.pid);
	return stat(path, &ours) == 0 && theirs.st_ino == ours.st_ino &&
		theirs.st_dev == ours.st_dev;
}

/*
 * Kills what is inside below a process, children first; the door's own processes stay to say
 * goodbye.
 */
static void kill_below(const struct keeper *k, pid_t pid, unsigned depth)
{
	char path[64];
	FILE *f;
	int child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	while (f && depth < KILL_DEPTH && fscanf(f, "%d", &child) == 1) {
		_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, child, 0);

		kill_below(k, child, depth + 1);
		if (fd >= 0 && child != k->sandbox.pid && inside(k, child))
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	}
	if (f)
		fclose(f);
}

int session_kill(struct keeper *k, uint32_t id, struct error *e)
{
	struct session *s = session_find(k, id);

	if (!s)
		return error_set(e, -ESRCH, "there is no session '%s:%u'", k->slug, id);
	kill_below(k, s->holder, 0);
	return 0;
}
