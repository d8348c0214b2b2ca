#include "config.h"
#include "lib/base/person-child.h"
#include "lib/base/capability.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define CHILD_AS_MAX (1024ull * 1024 * 1024) /* bytes of address space */

struct person_out {
	char *data;
	size_t size;
	int fds[PERSON_REPLY_FDS];
	size_t n_fds;
};

int person_answer(struct person_out *out, const void *data, size_t size)
{
	char *larger;

	if (size > PERSON_REPLY_MAX - out->size)
		return -E2BIG;
	if (size == 0)
		return 0;
	larger = realloc(out->data, out->size + size);
	if (!larger)
		return -ENOMEM;
	memcpy(larger + out->size, data, size);
	out->data = larger;
	out->size += size;
	return 0;
}

int person_answer_fd(struct person_out *out, int fd)
{
	int copy;

	if (out->n_fds == PERSON_REPLY_FDS)
		return -E2BIG;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	out->fds[out->n_fds++] = copy;
	return 0;
}

/* Handlers are the caller's; what is ignored would stay ignored. */
static int signals_default(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigaction(sig, &sa, NULL) < 0 && errno != EINVAL)
			return -errno;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? -errno : 0;
}

static int close_but(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0 && syscall(SYS_close_range, 0, low - 1, 0) < 0)
		return -errno;
	if (high - low > 1 && syscall(SYS_close_range, low + 1, high - 1, 0) < 0)
		return -errno;
	return syscall(SYS_close_range, high + 1, ~0u, 0) < 0 ? -errno : 0;
}

/*
 * Only the answer's socket, `keep`, and /dev/null on what of 0, 1, 2 is free then: what fn opens
 * must never become the standard error of some library.
 */
static int descriptors(int *sock, int keep)
{
	int fd = *sock, err;

	if (fd < 3) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -errno;
	}
	err = close_but(fd, keep >= 0 ? keep : fd);
	if (err < 0)
		return err;
	*sock = fd;
	for (;;) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (null < 0)
			return -errno;
		if (null < 3)
			continue;
		close(null);
		return 0;
	}
}

static int limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit rl;

	if (getrlimit(what, &rl) < 0)
		return -errno;
	if (rl.rlim_max > most)
		rl.rlim_max = most;
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(what, &rl) < 0 ? -errno : 0;
}

/* Time and memory; the timer ends the child even when the caller is gone. */
static int bounds(unsigned timeout_ms)
{
	struct itimerval it = {.it_value = {.tv_sec = timeout_ms / 1000 + 1}};
	int err;

	err = limit(RLIMIT_CPU, timeout_ms / 1000 + 1);
	if (err == 0)
		err = limit(RLIMIT_CORE, 0);
	if (err == 0 && !SANITIZED) /* which reserves terabytes of address space */
		err = limit(RLIMIT_AS, CHILD_AS_MAX);
	if (err == 0 && setitimer(ITIMER_REAL, &it, NULL) < 0)
		err = -errno;
	return err;
}

/* Nothing of the caller's that a program started by fn would inherit. */
static int surroundings(const struct person *p)
{
	umask(077);
	setsid(); /* no terminal; fails only for a leader, which a new child is not */
	if (chdir("/") < 0 || clearenv() != 0)
		return -errno;
	if (setenv("HOME", p->home, 1) < 0 || setenv("USER", p->name, 1) < 0 ||
		setenv("LOGNAME", p->name, 1) < 0 ||
		setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1) < 0)
		return -errno;
	return 0;
}

/* The session's keyring is root's, and its possession outlives the ids. */
static int no_keyring(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return 0;
	/* no keyrings in this kernel, or none for this container */
	return errno == ENOSYS || errno == EPERM || errno == EACCES ? 0 : -errno;
}

/* The raw calls: glibc's would look for the caller's threads, which are not here. */
static int ids_set(const struct person *p)
{
	if (syscall(SYS_setgroups, p->n_groups, p->groups) < 0 ||
	    syscall(SYS_setresgid, p->gid, p->gid, p->gid) < 0 ||
	    syscall(SYS_setresuid, p->uid, p->uid, p->uid) < 0)
		return -errno;
	return 0;
}

static int capabilities_empty(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	/* EINVAL: a kernel without ambient capabilities */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	if (syscall(SYS_capset, &head, data) < 0 || syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (size_t i = 0; i < ELEMENTSOF(data); i++)
		if (data[i].effective || data[i].permitted || data[i].inheritable)
			return -EPERM;
	return 0;
}

/* What was given up must be gone, and must not come back. */
static int ids_hold(const struct person *p, bool changed)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (getresuid(&r, &e, &s) < 0 || getresgid(&gr, &ge, &gs) < 0)
		return -errno;
	if (r != p->uid || e != p->uid || s != p->uid)
		return -EPERM;
	if (p->uid != 0 &&
		(syscall(SYS_setresuid, -1, 0, -1) == 0 || syscall(SYS_setresuid, 0, -1, -1) == 0 ||
			syscall(SYS_setfsuid, 0) != (long)p->uid ||
			syscall(SYS_setfsuid, -1) != (long)p->uid))
		return -EPERM;
	if (gr != ge || ge != gs || (changed && gr != p->gid) ||
		syscall(SYS_setgroups, 0, NULL) == 0)
		return -EPERM;
	if (gr != 0 && syscall(SYS_setresgid, -1, 0, -1) == 0)
		return -EPERM;
	return 0;
}

static int become(const struct child_job *job)
{
	const struct person *p = job->person;
	bool root = geteuid() == 0;
	int err = 0;

	if (!root && (geteuid() != p->uid || getuid() != p->uid))
		return -EPERM;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (root) {
		err = no_keyring();
		if (err == 0)
			err = capability_bounds_drop(); /* while there is still the capability to */
		if (err == 0)
			err = ids_set(p);
	}
	if (err == 0)
		err = capabilities_empty();
	if (err == 0)
		err = ids_hold(p, root);
	/*
	 * Changed ids set these two back.  An orphan's parent is about to end: its timer has to do.
	 */
	if (err == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		err = -errno;
	if (err == 0 && !job->orphan && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		err = -errno;
	if (err == 0 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		err = -EPERM;
	if (err == 0 && !job->orphan && getppid() != job->parent)
		err = -ESRCH;
	return err;
}

static void answer(int sock, const struct child_answer *head, const struct person_out *out)
{
	char control[CMSG_SPACE(sizeof(out->fds))] __attribute__((__aligned__(8))) = {0};
	struct iovec iov[] = {{(void *)head, sizeof(*head)}, {out->data, out->size}};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = ELEMENTSOF(iov)};
	ssize_t n;

	if (out->n_fds > 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(out->n_fds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(out->n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), out->fds, out->n_fds * sizeof(int));
	}
	do
		n = sendmsg(sock, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
}

void child_main(const struct child_job *job)
{
	static const char *const steps[] = {
		"signals", "descriptors", "limits", "surroundings", "ids"};
	struct child_answer head = {0};
	struct person_out out = {0};
	int sock = job->sock;
	size_t step = 0;

	head.setup = signals_default();
	if (head.setup == 0)
		step++, head.setup = descriptors(&sock, job->keep);
	if (head.setup == 0)
		step++, head.setup = bounds(job->timeout_ms);
	if (head.setup == 0)
		step++, head.setup = surroundings(job->person);
	if (head.setup == 0)
		step++, head.setup = become(job);
	if (head.setup < 0) {
		error_errno(&head.error, head.setup, "cannot become that person (%s)", steps[step]);
	} else {
		head.result = job->fn(job->arg, &out, &head.error);
		head.n_fds = (unsigned)out.n_fds;
		if (head.result > 0)
			head.result = 0;
	}
	answer(sock, &head, &out);
	_exit(0);
}
