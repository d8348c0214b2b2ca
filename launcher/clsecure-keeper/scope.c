/*
 * Under systemd: a scope for the keeper in a slice of clsecure's, and one for PID 1 in the worker's
 * slice beside its sessions' scopes.  In the first caller's scope both would end with that session.
 */
#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <syslog.h>

#ifdef HAVE_SYSTEMD

#include <systemd/sd-bus.h>

#define CALL_USEC ((uint64_t)1000000)

static int start_scope(sd_bus *bus, const char *name, const char *slice, const char *what,
	pid_t pid)
{
	_cleanup_(sd_bus_error_free) sd_bus_error failure = SD_BUS_ERROR_NULL;
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int err = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.systemd1",
		"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
		"StartTransientUnit");

	if (err >= 0)
		err = sd_bus_message_append(m, "ssa(sv)a(sa(sv))", name, "fail", 4, "Description",
			"s", what, "Slice", "s", slice, "CollectMode", "s", "inactive-or-failed",
			"PIDs", "au", 1, (uint32_t)pid, 0);
	if (err >= 0)
		err = sd_bus_call(bus, m, CALL_USEC, &failure, NULL);
	return err < 0 ? err : 0;
}

static void scope_stop(const char *name)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;

	if (access("/run/systemd/system", F_OK) == 0 && sd_bus_open_system(&bus) >= 0)
		sd_bus_call_method_async(bus, NULL, "org.freedesktop.systemd1",
			"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "StopUnit",
			NULL, NULL, "ss", name, "replace");
}

static int scope(const char *name, const char *slice, const char *what, pid_t pid)
{
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	int err;

	if (access("/run/systemd/system", F_OK) < 0)
		return 0;
	err = sd_bus_open_system(&bus);
	return err < 0 ? err : start_scope(bus, name, slice, what, pid);
}

#else

static void scope_stop(const char *name)
{
}

static int scope(const char *name, const char *slice, const char *what, pid_t pid)
{
	return 0;
}

#endif

/* A host whose bus does not answer still gets its sandbox; it ends with its first session then. */
static void scope_or_log(const struct keeper *k, const char *name, const char *slice,
	const char *what, pid_t pid)
{
	int err = scope(name, slice, what, pid);

	if (err < 0)
		syslog(LOG_WARNING, "%s: no scope in %s: %s", k->slug, slice,
			strerrordesc_np(-err) ?: "unknown error");
}

void scope_of_keeper(const struct keeper *k)
{
	char name[96], what[96];

	snprintf(name, sizeof(name), "clsecure-keeper-%s-%d.scope", k->slug, (int)getpid());
	snprintf(what, sizeof(what), "Keeper of the sandbox of %s", k->slug);
	scope_or_log(k, name, "clsecure.slice", what, getpid());
}

static void sandbox_name(const struct keeper *k, pid_t pid, char name[static 96])
{
	snprintf(name, 96, "clsecure-sandbox-%s-%d.scope", k->slug, (int)pid);
}

void scope_of_sandbox(const struct keeper *k)
{
	char name[96], slice[64], what[96];

	sandbox_name(k, k->sandbox.pid, name);
	snprintf(slice, sizeof(slice), "user-%u.slice", k->worker);
	snprintf(what, sizeof(what), "Sandbox of %s", k->slug);
	scope_or_log(k, name, slice, what, k->sandbox.pid);
}

void scope_of_sandbox_end(const struct keeper *k, pid_t pid)
{
	char name[96];

	sandbox_name(k, pid, name);
	scope_stop(name);
}
