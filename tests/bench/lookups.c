/*
 * lookups SERVICES COUNT NAME...: for each line on stdin looks COUNT names up in the passwd database as
 * nsswitch.conf with `passwd: SERVICES` would, one NAME after the other, and prints the nanoseconds.
 * A NAME that is all digits is a uid.  With COUNT below zero none of them may be found.
 */
#include <ctype.h>
#include <err.h>
#include <nss.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool found(const char *name)
{
	struct passwd pw, *result = NULL;
	char buffer[4096];

	if (isdigit((unsigned char)name[0]))
		getpwuid_r((uid_t)strtoul(name, NULL, 10), &pw, buffer, sizeof(buffer), &result);
	else
		getpwnam_r(name, &pw, buffer, sizeof(buffer), &result);
	return result != NULL;
}

int main(int argc, char **argv)
{
	long count = argc > 3 ? atol(argv[2]) : 0;
	bool want = count > 0;
	size_t n = (size_t)argc - 3, at = 0;
	char line[64];

	if (count == 0 || __nss_configure_lookup("passwd", argv[1]) != 0)
		errx(2, "usage: lookups SERVICES COUNT NAME...");
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		uint64_t began = now_ns();

		for (long i = 0; i < labs(count); i++, at = at + 1 < n ? at + 1 : 0)
			if (found(argv[3 + at]) != want)
				errx(1, "%s: %s in %s", argv[3 + at], want ? "not" : "is", argv[1]);
		printf("%llu\n", (unsigned long long)(now_ns() - began));
	}
	return 0;
}
