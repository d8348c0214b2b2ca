/*
 * true inside|outside PATH...: the `true` of the measured logins, which looks round first.
 *
 * inside: succeeds only behind the wall: filtered (Seccomp 2), no new privileges, an empty bounding
 * set (else 3), and every PATH is a mount of its own (else 4).  outside: the same files are read, and there is no filter,
 * so that both sides of a difference do the same work.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *slurp(const char *path)
{
	static const size_t size = 256 * 1024;
	char *text = malloc(size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	size_t at = 0;

	if (!text || fd < 0)
		err(1, "%s", path);
	while ((n = read(fd, text + at, size - 1 - at)) > 0)
		at += (size_t)n;
	text[at] = '\0';
	close(fd);
	return text;
}

static bool says(const char *status, const char *key, const char *value)
{
	const char *p = strstr(status, key);

	return p && strncmp(p + strlen(key), value, strlen(value)) == 0 &&
		p[strlen(key) + strlen(value)] == '\n';
}

/* The fifth word of a line of mountinfo stands between blanks. */
static bool is_mount(const char *mounts, const char *path)
{
	char word[512];

	snprintf(word, sizeof(word), " %s ", path);
	return strstr(mounts, word) != NULL;
}

int main(int argc, char **argv)
{
	char *status = slurp("/proc/self/status"), *mounts = slurp("/proc/self/mountinfo");
	bool inside = argc > 1 && strcmp(argv[1], "inside") == 0;
	const char *missing = NULL;

	for (int i = 2; i < argc; i++)
		missing = is_mount(mounts, argv[i]) ? missing : argv[i];
	if (!inside)
		return says(status, "\nSeccomp:\t", "0") ? 0 : 3;
	if (!says(status, "\nSeccomp:\t", "2") || !says(status, "\nNoNewPrivs:\t", "1") ||
		!says(status, "\nCapBnd:\t", "0000000000000000"))
		return 3;
	return missing ? 4 : 0;
}
