/*
 * as_person(): how root looks at what is a person's.
 *
 * The child is a plain clone(2) of the caller with no exit signal: the caller's SIGCHLD handler
 * does not run, an ignored SIGCHLD does not reap it for us, and a wait(2) of the caller does not
 * see it (only __WALL does).  Raw clone leaves malloc's locks as other threads held them, so that a
 * caller with threads takes a second way: a helper that shares the memory (vfork's way) calls
 * fork(3), which waits for those locks, and ends; what it forked is then init's to reap.
 *
 * The child still has a copy of the caller's memory, sshd's host keys perhaps: it is not dumpable,
 * so that the person cannot trace it or read it, and before it does anything as the person it gives
 * up every id, capability, keyring, descriptor and limit that is not the person's.  The person can
 * stop or kill it (same uid): then there is no answer, in bounded time.  What it answers is one
 * bounded message.
 */
#include "config.h"
#include "lib/base/person.h"
#include "lib/base/person-child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* For a killed child to be gone; one that sleeps in a dead file system is left to init. */
#define GRACE_MS 200
#define STACK_SIZE (1024 * 1024)

struct child {
	int pidfd;
	bool ours; /* a child of the caller, which reaps it */
};

static void child_reap(const struct child *c)
{
	siginfo_t si;

	if (c->ours)
		while (waitid(P_PIDFD, (id_t)c->pidfd, &si, WEXITED | WNOHANG | __WALL) < 0 &&
			errno == EINTR)
			;
}

/* What the memory-sharing helper of a caller with threads is told, and what it tells. */
struct forking {
	struct child_job *job;
	int pidfd, err;
};

static int forking_helper(void *arg)
{
	struct forking *f = arg;
	pid_t pid = fork();

	if (pid == 0)
		child_main(f->job);
	if (pid > 0)
		f->pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
	if (pid < 0 || f->pidfd < 0) {
		f->err = -errno;
		if (pid > 0)
			kill(pid,
				SIGKILL); /* not yet reaped by anybody: the pid is still its own */
	}
	_exit(0);
}

static int spawn_threaded(struct child_job *job, struct child *ret_child)
{
	struct forking f = {.job = job, .pidfd = -1};
	char *stack;
	int pid;

	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -errno;
	job->orphan = true;
	pid = clone(forking_helper, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES, &f);
	if (pid < 0) {
		int err = -errno;

		munmap(stack, STACK_SIZE);
		return err;
	}
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	munmap(stack, STACK_SIZE);
	if (f.err < 0)
		return f.err;
	*ret_child = (struct child){.pidfd = f.pidfd};
	return 0;
}

static int spawn_single(struct child_job *job, struct child *ret_child)
{
	int pidfd = -1;
	pid_t pid;

	job->parent = getpid();
	pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD, NULL, &pidfd, NULL, NULL);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_main(job);
	*ret_child = (struct child){.pidfd = pidfd, .ours = true};
	return 0;
}

/*
 * The caller's handlers must not run in the child: signals are blocked until they are default
 * there.
 */
static int spawn(struct child_job *job, struct child *ret_child)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	err = -pthread_sigmask(SIG_SETMASK, &all, &before);
	if (err < 0)
		return err;
	err = __libc_single_threaded
		? spawn_single(job, ret_child)
		: spawn_threaded(job, ret_child);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Until the descriptor is readable or at its end: 0, -ETIMEDOUT. */
static int wait_readable(int fd, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return 0;
		if (n == 0 && left <= 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* The child is done with, or too late. */
static void child_end(const struct child *c)
{
	syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	if (wait_readable(c->pidfd, now_ms() + GRACE_MS) == 0)
		child_reap(c);
	close(c->pidfd);
}

void person_reply_done(struct person_reply *r)
{
	for (size_t i = 0; i < r->n_fds; i++)
		close(r->fds[i]);
	r->n_fds = 0;
	free(r->data);
	r->data = NULL;
	r->size = 0;
}

static void take_fds(struct msghdr *m, struct person_reply *r)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (r->n_fds < PERSON_REPLY_FDS)
				r->fds[r->n_fds++] = fd;
			else
				close(fd);
		}
	}
}

/* The one message.  -EPROTO: none, or not of the form. */
static int receive(int sock, struct child_answer *ret_head, struct person_reply *ret_reply)
{
	_cleanup_(person_reply_done) struct person_reply r = {.data = malloc(PERSON_REPLY_MAX + 1)};
	char control[CMSG_SPACE(sizeof(int) * PERSON_REPLY_FDS)] __attribute__((__aligned__(8)));
	struct child_answer head = {0};
	struct iovec iov[] = {{&head, sizeof(head)}, {r.data, PERSON_REPLY_MAX}};
	struct msghdr m = {
		.msg_iov = iov, .msg_iovlen = ELEMENTSOF(iov),
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	if (!r.data)
		return -ENOMEM;
	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&m, &r);
	if ((size_t)n < sizeof(head) || (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    head.setup > 0 || head.result > 0 || head.n_fds != r.n_fds)
		return -EPROTO;
	r.size = (size_t)n - sizeof(head);
	r.data[r.size] = '\0';
	head.error.text[sizeof(head.error.text) - 1] = '\0';
	text_clean(head.error.text);
	r.result = head.result;
	r.error = head.error;
	*ret_head = head;
	*ret_reply = r;
	r = (struct person_reply){0};
	return 0;
}

int as_person(const struct person *p, person_fn fn, void *arg, int keep, unsigned timeout_ms,
	struct person_reply *ret_reply, struct error *e)
{
	struct child_job job = {
		.person = p, .fn = fn, .arg = arg, .keep = keep, .timeout_ms = timeout_ms};
	_cleanup_(person_reply_done) struct person_reply r = {0};
	int64_t deadline = now_ms() + timeout_ms;
	struct child_answer head = {0};
	struct child c = {.pidfd = -1};
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(e, -errno, "act as '%s'", p->name);
	job.sock = pair[1];
	err = spawn(&job, &c);
	close(pair[1]);
	if (err == 0) {
		err = wait_readable(pair[0], deadline);
		if (err == 0)
			err = receive(pair[0], &head, &r);
		child_end(&c);
	}
	close(pair[0]);
	if (err == -ETIMEDOUT)
		return error_set(e, err, "act as '%s': no answer within %u ms", p->name,
			timeout_ms);
	if (err == -EPROTO)
		return error_set(e, err, "act as '%s': the child was killed or answered nonsense",
			p->name);
	if (err < 0)
		return error_errno(e, err, "act as '%s'", p->name);
	if (head.setup < 0)
		return error_set(e, head.setup, "act as '%s': %s", p->name, r.error.text);
	*ret_reply = r;
	r = (struct person_reply){0};
	return 0;
}
