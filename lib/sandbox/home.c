/*
 * The first contents of a worker's home, written by a child that is the worker, inside: a link that was
 * planted there leads nowhere that the worker could not go himself.  What is there already stays.
 */
#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/base/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SKEL "/etc/skel"
#define COPY_MAX ((size_t)256 * 1024)
#define SECONDS 2

static void write_new(int home, const char *name, const char *data, size_t size, mode_t mode)
{
	_cleanup_close_ int fd = openat(home, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd >= 0 && write(fd, data, size) != (ssize_t)size)
		unlinkat(home, name, 0);
}

static void copy_skel(int home, const char *name)
{
	_cleanup_free_ char *data = malloc(COPY_MAX);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), SKEL "/%s", name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	n = fd >= 0 && data ? read(fd, data, COPY_MAX) : -1;
	if (n >= 0)
		write_new(home, name, data, (size_t)n, 0644);
}

static void copy_skel_all(int home)
{
	DIR *d = opendir(SKEL);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_type == DT_REG)
			copy_skel(home, e->d_name);
	if (d)
		closedir(d);
}

static bool is_empty(int home)
{
	int fd = openat(home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	bool empty = true;

	while (d && (e = readdir(d)))
		if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
			empty = false;
	if (d)
		closedir(d);
	return empty;
}

/* A JSON string's inside. */
static void json_escape(FILE *f, const char *s)
{
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(f, "\\u%04x", *s);
		else
			fputc(*s, f);
}

/* The questions of Claude's first start, answered; no token of anybody's. */
static void write_claude(int home, const struct build *b)
{
	_cleanup_free_ char *data = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&data, &size);

	if (!f)
		return;
	fprintf(f, "{\n  \"hasCompletedOnboarding\": true,\n  \"theme\": \"dark\",\n  \"projects\": {\n");
	fprintf(f, "    \"/home/%s\": { \"hasTrustDialogAccepted\": true },\n    \"", b->worker_name);
	json_escape(f, b->project);
	fprintf(f, "\": { \"hasTrustDialogAccepted\": true, \"hasCompletedProjectOnboarding\": true }\n  }\n}\n");
	if (fclose(f) == 0)
		write_new(home, ".claude.json", data, size, 0600);
}

/* The way back must be shut. */
static bool become(uid_t uid)
{
	return setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0 &&
		setuid(0) < 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static _Noreturn void seed(const struct build *b)
{
	_cleanup_close_ int home = -1;
	char path[64];

	alarm(SECONDS);
	if (!become(b->worker))
		_exit(1);
	snprintf(path, sizeof(path), "/home/%s", b->worker_name);
	home = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (home < 0)
		_exit(1);
	if (is_empty(home))
		copy_skel_all(home);
	write_claude(home, b);
	if (symlinkat(b->project, home, b->slug) < 0 && errno != EEXIST)
		_exit(1);
	_exit(0);
}

void build_home(const struct build *b)
{
	pid_t pid = fork();

	if (pid == 0)
		seed(b);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
