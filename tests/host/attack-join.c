/*
 * For attack-person.bats: inside, while doors bring others in: tries to take hold of a door's process,
 * above all of a child that has become the worker and not yet its shell.  attack-join SECONDS;
 * "POSSIBLE WHAT" for each that could be taken hold of, then the number of attempts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Programs by which others come in: until the shell is there these are root's. */
static const char *const doors[] = {"su", "runuser", "login", "sshd", "sudo", "cron", "clsecured"};

static int is_door(int pid)
{
	char path[64], exe[256];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < sizeof(doors) / sizeof(*doors); i++)
		if (strcmp(slash + 1, doors[i]) == 0)
			return 1;
	return 0;
}

static void hold(int pid)
{
	static const char *const files[] = {"mem", "root", "fd", "environ", "cwd"};

	if (is_door(pid))
		printf("POSSIBLE exe\n");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, (i == 0 ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 && is_door(pid))
			printf("POSSIBLE %s\n", files[i]);
		if (fd >= 0)
			close(fd);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
		return;
	if (is_door(pid))
		printf("POSSIBLE ptrace\n");
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, 0, 0);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
	unsigned long tries = 0;

	while (time(NULL) < end) {
		DIR *d = opendir("/proc");
		struct dirent *e;

		while (d && (e = readdir(d))) {
			int pid = atoi(e->d_name);

			if (pid > 0 && pid != getpid()) {
				hold(pid);
				tries++;
			}
		}
		if (d)
			closedir(d);
		usleep(200);
	}
	printf("tries %lu\n", tries);
	return 0;
}
