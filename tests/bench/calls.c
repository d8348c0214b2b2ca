/*
 * calls getppid|openat COUNT MODE: for each line on stdin makes COUNT system calls and prints the
 * nanoseconds that they took.  The calls are made directly: the C library adds nothing.  MODE is what
 * seccomp must be: 2 with a filter, 0 without.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void getppid_block(long count)
{
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
}

/* With its close: descriptors do not pile up. */
static void openat_block(long count)
{
	for (long i = 0; i < count; i++) {
		long fd = syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY | O_CLOEXEC, 0);

		if (fd < 0)
			err(1, "openat");
		syscall(SYS_close, fd);
	}
}

int main(int argc, char **argv)
{
	void (*block)(long) = argc == 4 && strcmp(argv[1], "getppid") == 0 ? getppid_block : openat_block;
	char line[64];

	if (argc != 4)
		errx(2, "usage: calls getppid|openat COUNT MODE");
	if (prctl(PR_GET_SECCOMP) != atoi(argv[3]))
		errx(1, "seccomp is not %s", argv[3]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t began = now_ns();

		block(atol(argv[2]));
		printf("%llu\n", (unsigned long long)(now_ns() - began));
	}
	return 0;
}
