/*
 * timer COMMAND...: for each line on stdin runs COMMAND once, with 0, 1, 2 on /dev/null, and prints the
 * nanoseconds from its start to its end.  A command that fails ends the timer: a figure of something
 * that did not work is none.
 *
 * It may be PID 1 of a PID namespace, so it reaps what it did not start.
 */
#include <err.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t run(char **command, const posix_spawn_file_actions_t *null)
{
	uint64_t began = now_ns(), took;
	int status = 0, e;
	pid_t pid;

	e = posix_spawnp(&pid, command[0], null, NULL, command, environ);
	if (e != 0)
		errx(1, "cannot run %s: error %d", command[0], e);
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	took = now_ns() - began;
	if (status != 0)
		errx(1, "%s ended with wait status 0x%x", command[0], (unsigned)status);
	return took;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t null;
	char line[64];

	if (argc < 2)
		errx(2, "usage: timer COMMAND...");
	posix_spawn_file_actions_init(&null);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&null, fd, "/dev/null", fd == 0 ? 0 : 1, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		printf("%llu\n", (unsigned long long)run(argv + 1, &null));
	}
	return 0;
}
