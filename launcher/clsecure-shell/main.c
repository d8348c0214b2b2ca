/*
 * clsecure-shell: what passwd names as a worker's login shell.
 *
 * It runs as the worker, inside, at the end of every door.  It has one decision to make: is the
 * sandbox really here?  If not, it says so and ends with 125, whatever it was asked to run.  If it
 * is, it builds the environment from nothing, goes to where the session begins, and becomes the
 * shell that the project names, with the arguments it was given.
 *
 * Static, without NSS, without configuration: what it needs to know root has written into the
 * sandbox (lib/sandbox/environment.h).  Started once more from inside it is a plain way to get a
 * shell.
 */
#include "config.h"
#include "launcher/clsecure-shell/check.h"
#include "launcher/clsecure-shell/command.h"
#include "launcher/clsecure-shell/environ.h"
#include "launcher/clsecure-shell/forward.h"
#include "launcher/clsecure-shell/inside.h"
#include "lib/sandbox/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#define EXIT_REFUSED 125
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

extern char **environ;

static int refuse(int status, const char *what, const char *why)
{
	dprintf(STDERR_FILENO, "clsecure: %s: %s\n", what, why);
	return status;
}

/* Inside, and unprivileged; may come back in another process than it was called in. */
static int enter(struct inside *ret_inside, struct error *e)
{
	int err = check_privileges(e);

	if (err == 0)
		err = inside_read(ret_inside, e);
	if (err == 0 && forward_needed())
		err = forward_fork(e);
	if (err == 0)
		err = check_namespaces(ret_inside, e);
	return err;
}

/* For job control; without it the shell says so and works. */
static void take_terminal(void)
{
	_cleanup_close_ int tty = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (tty >= 0)
		return;
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd)) {
			setsid();
			ioctl(fd, TIOCSCTTY, 0);
			return;
		}
}

static void go_to_start(const struct command *c, const struct inside *in, const char *home)
{
	const char *start = environment_get(environ, START_VARIABLE);
	bool dialogue = !c->command && (c->interactive || isatty(STDIN_FILENO));
	const char *dir = dialogue || (start && streq(start, START_PROJECT)) ? in->path : home;

	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): of inside_read() */
	if (chdir(dir) == 0)
		return;
	dprintf(STDERR_FILENO, "clsecure: cannot start in '%s': %s\n", dir, strerrordesc_np(errno));
	if (chdir(home) < 0 && chdir("/") < 0)
		dprintf(STDERR_FILENO, "clsecure: starting where the login left off\n");
}

/* Returns when it cannot be run, with errno; `what` is what cannot. */
static const char *run(const struct command *c, const char *shell, char **argv, char **env)
{
	if (!c->words) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): see main() */
		execve(shell, argv, env);
		return shell;
	}
	environ = env; /* whose PATH it is found in */
	execvp(c->words[0], c->words);
	return c->words[0];
}

int main(int argc, char **argv)
{
	struct command c = command_parse(argc, argv);
	struct error e = {0};
	struct inside in = {0};
	static struct environment env;
	char **shell_argv = NULL;
	const char *what;
	int err;

	if (enter(&in, &e) < 0)
		return refuse(EXIT_REFUSED, "no sandbox here, so nothing is run", e.text);
	err = environment_build(&in, getuid(), environ, &env);
	if (err == 0)
		err = command_argv(in.shell, argc, argv, &shell_argv);
	if (err < 0)
		return refuse(EXIT_REFUSED, "cannot make the environment", strerrordesc_np(-err));
	take_terminal();
	go_to_start(&c, &in, environment_get(env.v, "HOME"));
	what = run(&c, in.shell, shell_argv, env.v);
	err = errno;
	return refuse(err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, what, strerrordesc_np(err));
}
