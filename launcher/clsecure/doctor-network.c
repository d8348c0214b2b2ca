#include "config.h"
#include "launcher/clsecure/doctor.h"
#include "lib/base/macros.h"
#include "lib/policy/domains.h"
#include "lib/policy/paths.h"
#include "lib/sandbox/filtered.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static void look_at_pasta(struct doctor *d)
{
	if (access("/usr/bin/pasta", X_OK) < 0)
		doctor_note(d, "apt install passt", "pasta is missing: Network=full is refused");
	else if (access("/dev/net/tun", F_OK) < 0)
		doctor_note(d, "modprobe tun", "/dev/net/tun is missing: Network=full is refused");
	else
		doctor_ok(d, "pasta is there for Network=full");
}

/* Makes such a network and lets it go, in a process of its own. */
static int try_filtered(struct error *e)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	struct filtered f = FILTERED_INIT;
	int pair[2], status;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(e, -errno, "try Network=filtered");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return error_errno(e, -errno, "try Network=filtered");
	if (pid == 0) {
		bool bad = filtered_make(&f, e) < 0;

		_exit(bad && write(theirs, e, sizeof(*e)) > 0);
	}
	closep(&theirs);
	theirs = -1;
	if (read(ours, e, sizeof(*e)) != (ssize_t)sizeof(*e))
		e->code = 0;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? e->code : -ECHILD;
}

static void look_at_filtered(struct doctor *d)
{
	struct error e = {0};

	if (try_filtered(&e) < 0)
		doctor_note(d, NULL, "%s", e.text);
	else
		doctor_ok(d, "this kernel has what Network=filtered needs");
}

/* One that is broken leaves those who name it without a network. */
static void look_at_sets(struct doctor *d)
{
	const char *path = policy_paths()->domains;
	DIR *dir = opendir(path);

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		size_t n = strlen(entry->d_name);
		_cleanup_free_ char *name = NULL;
		_cleanup_(value_done) struct value rules = {0};
		struct error e = {0};

		if (n <= 5 || !streq(entry->d_name + n - 5, ".conf"))
			continue;
		name = strndup(entry->d_name, n - 5);
		if (name && domain_set_read(name, &rules, &e) < 0)
			doctor_fail(d, NULL, "@%s, a set of names, is not usable: %s", name, e.text);
	}
	if (dir)
		closedir(dir);
}

void doctor_network(struct doctor *d)
{
	look_at_pasta(d);
	look_at_filtered(d);
	look_at_sets(d);
}
