#include "config.h"
#include "launcher/clsecure/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define OUTPUT_MAX (256 * 1024)

static char *const clean_environment[] = {
	(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C.UTF-8", NULL};

static void child(char *const *argv, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(out, STDERR_FILENO) < 0)
		_exit(127);
	execve(argv[0], argv, clean_environment);
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads until the other end is closed.  -ETIMEDOUT. */
static int collect(int fd, int64_t until, char *text, size_t *size)
{
	char rest[4096];

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until - now_ms();
		bool full = *size >= OUTPUT_MAX;
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = read(fd, full ? rest : text + *size, full ? sizeof(rest) : OUTPUT_MAX - *size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (!full)
			*size += (size_t)n;
	}
}

int run_program(char *const *argv, unsigned timeout_ms, char **ret_output)
{
	_cleanup_free_ char *text = malloc(OUTPUT_MAX + 1);
	_cleanup_close_ int in = -1, out = -1;
	int ends[2], status, err;
	size_t size = 0;
	pid_t pid;

	if (!text)
		return -ENOMEM;
	if (access(argv[0], X_OK) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	in = ends[0];
	out = ends[1];
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(argv, out);
	close(TAKE_FD(out));
	err = collect(in, now_ms() + timeout_ms, text, &size);
	if (err < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (err < 0)
		return err;
	text[size] = '\0';
	if (ret_output)
		*ret_output = TAKE_PTR(text);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
