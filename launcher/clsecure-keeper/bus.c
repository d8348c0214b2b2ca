/*
 * systemd and logind, each asked on a connection made for one call.  Every wait has its end: a bus
 * that takes connections and says nothing costs a login CALL_MS, and the next ones not even that.
 */
#include "config.h"
#include "launcher/clsecure-keeper/bus.h"
#include "lib/base/macros.h"
#include "lib/sandbox/wire.h"

#include <errno.h>

#ifdef HAVE_SYSTEMD

#include <fcntl.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-login.h>

#define CALL_MS 1000
#define SILENCE_MS 10000
#define STOP_USEC 1000000
#define SYSTEMD \
	"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"

struct peer {
	const char *address; /* NULL: the system's bus */
	uint64_t silent_until; /* now_ms(): it did not answer, and is not asked again before */
};

typedef int compose(sd_bus *bus, sd_bus_message **ret, const void *what);

static int open_address(const char *address, sd_bus **ret)
{
	_cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
	int err;

	if (!address)
		return sd_bus_open_system(ret);
	err = sd_bus_new(&bus);
	if (err >= 0)
		err = sd_bus_set_address(bus, address);
	if (err >= 0)
		err = sd_bus_start(bus);
	if (err >= 0)
		*ret = TAKE_PTR(bus);
	return err;
}

/* The library itself would wait a minute and a half for the other side's first word. */
static int wait_ready(sd_bus *bus, uint64_t deadline)
{
	int ready;

	while ((ready = sd_bus_is_ready(bus)) == 0) {
		uint64_t now = now_ms();
		int err = sd_bus_process(bus, NULL);

		if (err == 0 && now >= deadline)
			return -ETIMEDOUT;
		if (err == 0)
			err = sd_bus_wait(bus, (deadline - now) * 1000);
		if (err < 0 && err != -EINTR)
			return err;
	}
	return ready < 0 ? ready : 0;
}

static int call(const char *address, compose *words, const void *what, sd_bus_message **ret)
{
	_cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	uint64_t deadline = now_ms() + CALL_MS, now;
	int err = open_address(address, &bus);

	if (err >= 0)
		err = wait_ready(bus, deadline);
	if (err >= 0)
		err = words(bus, &m, what);
	now = now_ms();
	if (err >= 0 && now >= deadline)
		err = -ETIMEDOUT;
	if (err >= 0)
		err = sd_bus_call(bus, m, (deadline - now) * 1000, NULL, ret);
	return err < 0 ? err : 0;
}

static int ask(struct peer *p, compose *words, const void *what, sd_bus_message **ret)
{
	int err;

	if (now_ms() < p->silent_until)
		return -ETIMEDOUT;
	err = call(p->address, words, what, ret);
	if (err == -ETIMEDOUT)
		p->silent_until = now_ms() + SILENCE_MS;
	return err;
}

/* Where no bus answers, by systemctl's own way. */
static int ask_systemd(compose *words, const void *what)
{
	static struct peer by_bus, by_socket = {.address = "unix:path=/run/systemd/private"};
	int err = ask(&by_bus, words, what, NULL);

	return err < 0 ? ask(&by_socket, words, what, NULL) : err;
}

static int compose_scope(sd_bus *bus, sd_bus_message **ret, const void *what)
{
	const struct scope *s = what;
	int err = sd_bus_message_new_method_call(bus, ret, SYSTEMD, "StartTransientUnit");

	if (err >= 0)
		err = sd_bus_message_append(*ret, "ssa(sv)a(sa(sv))", s->name, "fail", 4,
			"Description", "s", s->description, "Slice", "s", s->slice, "CollectMode",
			"s", "inactive-or-failed", "PIDs", "au", 1, (uint32_t)s->pid, 0);
	return err;
}

static int compose_stop(sd_bus *bus, sd_bus_message **ret, const void *what)
{
	int err = sd_bus_message_new_method_call(bus, ret, SYSTEMD, "StopUnit");

	return err < 0 ? err : sd_bus_message_append(*ret, "ss", what, "replace");
}

/* As pam_systemd has it. */
static int compose_session(sd_bus *bus, sd_bus_message **ret, const void *what)
{
	const struct logind_session *s = what;
	int err = sd_bus_message_new_method_call(bus, ret, LOGIND, "CreateSession");

	if (err >= 0)
		err = sd_bus_message_append(*ret, "uusssssussbss", (uint32_t)s->user,
			(uint32_t)s->leader, s->service, "unspecified", "background", "", "", 0, "",
			"", s->host[0] != '\0', "", s->host);
	/* To be told to end and not to end is no way to stay for systemd's minute and a half. */
	return err < 0 ? err
		       : sd_bus_message_append(*ret, "a(sv)", 1, "TimeoutStopUSec", "t",
				 (uint64_t)STOP_USEC);
}

bool bus_here(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

int bus_start_scope(const struct scope *s)
{
	return ask_systemd(compose_scope, s);
}

int bus_stop_unit(const char *name)
{
	return ask_systemd(compose_stop, name);
}

int bus_create_session(const struct logind_session *s, char ret_id[static 64])
{
	static struct peer logind;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const char *id = NULL;
	int fd = -1, err = ask(&logind, compose_session, s, &reply);

	if (err >= 0)
		err = sd_bus_message_read(reply, "s", &id);
	if (err >= 0)
		err = sd_bus_message_skip(reply, "os");
	if (err >= 0)
		err = sd_bus_message_read(reply, "h", &fd);
	if (err < 0)
		return err;
	if (snprintf(ret_id, 64, "%s", id) >= 64)
		ret_id[0] = '\0';
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

bool bus_in_session(pid_t pid)
{
	_cleanup_free_ char *session = NULL;

	return sd_pid_get_session(pid, &session) >= 0;
}

void bus_end_closing(uid_t user)
{
	char **sessions = NULL, name[SCOPE_NAME_MAX];
	int n = sd_uid_get_sessions(user, 0, &sessions);

	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *state = NULL;

		if (sd_session_get_state(sessions[i], &state) >= 0 && streq(state, "closing") &&
			snprintf(name, sizeof(name), "session-%s.scope", sessions[i]) <
				(int)sizeof(name))
			bus_stop_unit(name);
		free(sessions[i]);
	}
	free(sessions);
}

#else

bool bus_here(void)
{
	return false;
}

int bus_start_scope(const struct scope *s)
{
	return -EOPNOTSUPP;
}

int bus_stop_unit(const char *name)
{
	return -EOPNOTSUPP;
}

int bus_create_session(const struct logind_session *s, char ret_id[static 64])
{
	return -EOPNOTSUPP;
}

bool bus_in_session(pid_t pid)
{
	return false;
}

void bus_end_closing(uid_t user)
{
}

#endif
