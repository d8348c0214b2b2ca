/*
 * The first contents of a worker's home, written by a child that is the worker, inside: a link that
 * was planted there leads nowhere that the worker could not go himself.  What is there already
 * stays.
 */
#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/base/macros.h"
#include "lib/sandbox/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SKEL "/etc/skel"
#define COPY_MAX ((size_t)256 * 1024)
#define SECONDS 2

/*
 * Debian's sshd reads this file of the home as root, after our session line, so inside (pam_env's
 * user_readenv=1).  A FIFO in its place would hold that root process for ever.  It is always there,
 * a file, and a mount point: nothing inside can put something else in its place.
 */
#define READ_BY_ROOT ".pam_environment"

static void write_new(int home, const char *name, const char *data, size_t size, mode_t mode)
{
	_cleanup_close_ int fd =
		openat(home, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

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
	fprintf(f,
		"{\n  \"hasCompletedOnboarding\": true,\n  \"theme\": \"dark\",\n  \"projects\": "
		"{\n");
	fprintf(f, "    \"/home/%s\": { \"hasTrustDialogAccepted\": true },\n    \"",
		b->worker_name);
	json_escape(f, b->project);
	fprintf(f,
		"\": { \"hasTrustDialogAccepted\": true, \"hasCompletedProjectOnboarding\": true "
		"}\n  }\n}\n");
	if (fclose(f) == 0)
		write_new(home, ".claude.json", data, size, 0600);
}

static bool is_plain(const struct stat *st)
{
	return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static void write_read_by_root(int home)
{
	struct stat st;

	if (fstatat(home, READ_BY_ROOT, &st, AT_SYMLINK_NOFOLLOW) == 0 && !is_plain(&st))
		unlinkat(home, READ_BY_ROOT, 0);
	write_new(home, READ_BY_ROOT, "", 0, 0600);
}

/* The way back must be shut. */
static bool become(uid_t uid)
{
	return setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
		setresuid(uid, uid, uid) == 0 && setuid(0) < 0 &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
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
	write_read_by_root(home);
	if (symlinkat(b->project, home, b->slug) < 0 && errno != EEXIST)
		_exit(1);
	_exit(0);
}

/* Nobody of the worker's runs yet: what the child left is what is found. */
static int pin_read_by_root(const struct build *b)
{
	_cleanup_close_ int at = -1, tree = -1;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/home/%s/" READ_BY_ROOT, b->worker_name);
	at = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0 || fstat(at, &st) < 0)
		return -errno;
	if (!is_plain(&st))
		return -EEXIST;
	tree = open_tree(at, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	if (tree < 0)
		return -errno;
	return tree_flags(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, false)
		?: tree_attach(tree, at);
}

int build_home(const struct build *b, struct error *e)
{
	pid_t pid = fork();
	int err;

	if (pid == 0)
		seed(b);
	if (pid < 0)
		return error_errno(e, -errno, "cannot prepare the home");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	err = pin_read_by_root(b);
	return err < 0
		? error_errno(e, err,
			  "cannot hold '" READ_BY_ROOT "' of the home in place (is its disk full?)")
		: 0;
}
