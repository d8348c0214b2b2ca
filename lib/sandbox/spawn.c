/*
 * Two nested clones that share memory and suspend their parents (as vfork does), each on a stack of
 * its own, with no signal at their ends: the caller's SIGCHLD handler never runs, its wait() never
 * returns a child that it did not make, and a process as large as sshd copies no page tables.  The
 * grandchild execs; the child between is reaped here, so that what was exec'd is init's.
 */
#include "config.h"
#include "lib/sandbox/spawn.h"
#include "lib/sandbox/client.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define KEEPER CLSECURE_LIBEXECDIR "/clsecure-keeper"
#define STACK_SIZE ((size_t)64 * 1024)

struct start {
	const char *slug;
	int fds[3]; /* for 0, 1, 2; all above 2 */
};

struct birth {
	spawn_exec *exec;
	void *arg;
	char *stack; /* of the grandchild; its upper end */
	int error; /* -errno of what failed in the children */
};

int overrides_pack(char *const *overrides, char **ret_data, size_t *ret_size)
{
	_cleanup_free_ char *data = NULL;
	size_t size = 0, at = 0;

	for (size_t i = 0; overrides && overrides[i]; i++) {
		size += strlen(overrides[i]) + 1;
		if (size > OVERRIDES_MAX)
			return -E2BIG;
	}
	data = malloc(size + 1);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; overrides && overrides[i]; i++) {
		size_t n = strlen(overrides[i]) + 1;

		memcpy(data + at, overrides[i], n);
		at += n;
	}
	*ret_data = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}

static int in_grandchild(void *arg)
{
	struct birth *b = arg;

	b->error = b->exec(b->arg);
	_exit(1);
}

static int in_child(void *arg)
{
	struct birth *b = arg;

	if (clone(in_grandchild, b->stack, CLONE_VM | CLONE_VFORK, b) < 0)
		b->error = -errno;
	_exit(0);
}

/*
 * Signals stay blocked until what was exec'd resets them: no handler of the caller runs in the
 * children.
 */
int spawn_orphan(spawn_exec *exec, void *arg)
{
	struct birth b = {.exec = exec, .arg = arg};
	sigset_t all, before;
	char *stacks;
	pid_t pid, reaped;

	stacks = mmap(NULL, 2 * STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stacks == MAP_FAILED)
		return -errno;
	b.stack = stacks + STACK_SIZE;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = clone(in_child, stacks + 2 * STACK_SIZE, CLONE_VM | CLONE_VFORK, &b);
	if (pid < 0)
		b.error = -errno;
	else
		do
			reaped = waitpid(pid, NULL, __WALL);
		while (reaped < 0 && errno == EINTR);
	sigprocmask(SIG_SETMASK, &before, NULL);
	munmap(stacks, 2 * STACK_SIZE);
	return b.error;
}

static int exec_keeper(void *arg)
{
	struct start *s = arg;
	char *const argv[] = {(char *)"clsecure-keeper", (char *)s->slug, NULL};
	char *const envp[] = {NULL};

	for (int i = 0; i < 3; i++)
		if (dup2(s->fds[i], i) < 0)
			return -errno;
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	execve(KEEPER, argv, envp);
	return -errno;
}

static int overrides_memfd(const char *data, size_t size, int *ret_fd)
{
	_cleanup_close_ int fd =
		memfd_create("clsecure-overrides", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	if (size > 0 && write(fd, data, size) != (ssize_t)size)
		return -EIO;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The caller may have 0, 1 or 2 closed: what is to become them must be none of them. */
static int above_two(int *fd)
{
	int up;

	if (*fd > 2)
		return 0;
	up = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
	if (up < 0)
		return -errno;
	close(*fd);
	*fd = up;
	return 0;
}

int keeper_spawn(const char *slug, const char *overrides, size_t size, int *ret_report,
	struct error *e)
{
	_cleanup_close_ int in = -1, null = -1, ours = -1, theirs = -1;
	int pair[2], err = fault("spawn");
	struct start s = {.slug = slug};

	if (err == 0)
		err = overrides_memfd(overrides, size, &in);
	if (err < 0)
		return error_errno(e, err, "cannot start the keeper of '%s'", slug);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(e, -errno, "cannot start the keeper of '%s'", slug);
	ours = pair[0];
	theirs = pair[1];
	err = above_two(&in) ?: above_two(&theirs) ?: above_two(&null);
	if (err == 0) {
		s.fds[0] = in;
		s.fds[1] = theirs;
		s.fds[2] = null;
		err = spawn_orphan(exec_keeper, &s);
	}
	if (err < 0)
		return error_errno(e, err, "cannot start %s", KEEPER);
	*ret_report = TAKE_FD(ours);
	return 0;
}
