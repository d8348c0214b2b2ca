/*
 * Under systemd: a scope for the keeper in a slice of clsecure's, and one for PID 1 in the worker's
 * slice beside its sessions' scopes.  In the first caller's scope both would end with that session.
 *
 * A caller that is in no session of logind's (cron, at, sudo and runuser of a service) gets one, so
 * that loginctl lists and ends it as any other; where logind does not answer, a scope in the
 * worker's slice.
 */
#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define MOVE_MS 500

/* A host whose systemd does not answer still gets its sandbox; it ends with its first session then. */
static int scope_or_log(const struct keeper *k, const struct scope *s)
{
	int err = bus_start_scope(s);

	if (err < 0)
		syslog(LOG_WARNING, "%s: no scope in %s: %s", k->slug, s->slice,
			strerrordesc_np(-err) ?: "unknown error");
	return err;
}

/* A line for each, for the keeper that follows one that was killed. */
static void note_scope(const struct keeper *k, const char *name)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[128];

	if (run_path(k->slug, "/scopes", path, sizeof(path)) == 0)
		f = fopen(path, "ae");
	if (f)
		fprintf(f, "%s\n", name);
}

/* Killed at a bad moment, it left scopes that systemd never sees become empty. */
static void end_noted_scopes(struct keeper *k)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[128], line[SCOPE_NAME_MAX + 1];

	if (run_path(k->slug, "/scopes", path, sizeof(path)) == 0)
		f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		bus_stop_unit(line);
	}
	k->after_crash = f && unlink(path) == 0;
}

void scope_of_keeper(struct keeper *k)
{
	char name[SCOPE_NAME_MAX], what[96];
	struct scope s = {
		.name = name, .slice = "clsecure.slice", .description = what, .pid = getpid()};

	snprintf(name, sizeof(name), "clsecure-keeper-%s-%d.scope", k->slug, (int)getpid());
	snprintf(what, sizeof(what), "Keeper of the sandbox of %s", k->slug);
	if (!bus_here())
		return;
	end_noted_scopes(k);
	note_scope(k, name);
	if (scope_or_log(k, &s) == 0)
		memcpy(k->scope, name, sizeof(name));
}

static void sandbox_name(const struct keeper *k, pid_t pid, char name[static SCOPE_NAME_MAX])
{
	snprintf(name, SCOPE_NAME_MAX, "clsecure-sandbox-%s-%d.scope", k->slug, (int)pid);
}

void scope_of_sandbox(const struct keeper *k)
{
	char name[SCOPE_NAME_MAX], slice[64], what[96];
	struct scope s = {
		.name = name, .slice = slice, .description = what, .pid = k->sandbox.pid};

	sandbox_name(k, k->sandbox.pid, name);
	snprintf(slice, sizeof(slice), "user-%u.slice", k->worker);
	snprintf(what, sizeof(what), "Sandbox of %s", k->slug);
	if (!bus_here())
		return;
	note_scope(k, name);
	scope_or_log(k, &s);
	if (k->after_crash)
		bus_end_closing(k->worker);
}

void scope_of_sandbox_end(const struct keeper *k, pid_t pid)
{
	char name[SCOPE_NAME_MAX];

	sandbox_name(k, pid, name);
	if (bus_here())
		bus_stop_unit(name);
}

static bool is_in(pid_t pid, const char *scope)
{
	_cleanup_close_ int fd = -1;
	char path[32], text[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, scope) != NULL;
}

/* What it forks before it is there stays outside. */
static void wait_moved(pid_t pid, const char *scope)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	for (uint64_t end = now_ms() + MOVE_MS; now_ms() < end && !is_in(pid, scope);)
		nanosleep(&pause, NULL);
}

void scope_of_keeper_end(const struct keeper *k)
{
	if (k->scope[0])
		wait_moved(getpid(), k->scope);
}

static void scope_of_caller(const struct keeper *k, const struct session *s)
{
	char name[SCOPE_NAME_MAX], slice[64], what[96];
	struct scope scope = {
		.name = name, .slice = slice, .description = what, .pid = s->holder};

	snprintf(name, sizeof(name), "clsecure-session-%s-%u-%d.scope", k->slug, s->id,
		(int)s->holder);
	snprintf(slice, sizeof(slice), "user-%u.slice", k->worker);
	snprintf(what, sizeof(what), "Session %u of %s", s->id, k->slug);
	if (scope_or_log(k, &scope) != 0)
		return;
	wait_moved(s->holder, name);
	if (!session_holder_lives(s))
		bus_stop_unit(name);
}

int scope_of_session(const struct keeper *k, const struct session *s)
{
	const struct logind_session asked = {.user = k->worker,
		.leader = s->holder,
		.service = s->who.service,
		.host = s->who.host};
	char id[64], name[SCOPE_NAME_MAX];
	int fd;

	/* Under su from somebody's session logind knows the process already. */
	if (!bus_here() || bus_in_session(s->holder))
		return -1;
	fd = bus_create_session(&asked, id);
	if (fd >= 0 && !session_holder_lives(s)) {
		snprintf(name, sizeof(name), "session-%s.scope", id);
		bus_stop_unit(name);
	}
	if (fd >= 0)
		return fd;
	syslog(LOG_WARNING, "%s: no session of logind's for %s: %s", k->slug, s->who.service,
		strerrordesc_np(-fd) ?: "unknown error");
	if (session_holder_lives(s))
		scope_of_caller(k, s);
	return -1;
}
