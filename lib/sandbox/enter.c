/*
 * A login's way into a sandbox.  sandbox_prepare() does all that can fail and be undone;
 * sandbox_enter() is the point of no return.  The caller stays root until it has forked and become
 * the worker: what it needs for that the filter leaves it, and no capability outlives the change of
 * its uid.
 */
#include "config.h"
#include "lib/sandbox/client.h"
#include "lib/base/capability.h"
#include "lib/base/macros.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define FILTER_MAX ((size_t)BPF_MAXINSNS * sizeof(struct sock_filter))
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What cannot change any more, is whole, and small enough for the kernel. */
static int filter_map(int fd, struct sandbox *s)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	size_t size;
	void *p;

	if (seals < 0 || fstat(fd, &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	if ((seals & SEALS) != SEALS || size == 0 || size > FILTER_MAX ||
		size % sizeof(struct sock_filter))
		return -EBADMSG;
	p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->filter = p;
	s->filter_size = size;
	return 0;
}

static void sandbox_leavep(struct sandbox *s)
{
	sandbox_leave(s);
}

static unsigned left_until(uint64_t deadline)
{
	uint64_t now = now_ms();

	return now < deadline ? (unsigned)(deadline - now) : 0;
}

int sandbox_prepare(const char *slug, const struct keeper_request *who, struct sandbox *ret_sandbox,
	struct error *e)
{
	/* A keeper that answers too late has counted a session that nobody will end otherwise. */
	_cleanup_(sandbox_leavep) struct sandbox s = SANDBOX_INIT;
	struct keeper_request q = *who;
	struct keeper_reply reply;
	int fds[3] = {-1, -1, -1}, err;
	size_t n = ELEMENTSOF(fds);

	s.deadline = now_ms() + KEEPER_WAIT_MS;
	err = keeper_connect(slug, true, NULL, KEEPER_WAIT_MS, &s.conn, e);
	if (err < 0)
		return err;
	q.op = KEEPER_ENTER;
	q.session = 0;
	err = keeper_call(s.conn, &q, &reply, fds, &n, left_until(s.deadline), e);
	if (err < 0)
		return err;
	s.session = reply.session;
	memcpy(s.limits, reply.limits, sizeof(s.limits));
	s.pidfd = fds[0];
	s.dev = fds[2];
	err = n == 3 ? filter_map(fds[1], &s) : -EPROTO;
	if (fds[1] >= 0)
		close(fds[1]);
	if (err == 0 && syscall(SYS_pidfd_send_signal, s.pidfd, 0, NULL, 0) < 0)
		err = -errno;
	if (err == 0)
		err = fault("prepare");
	if (err < 0)
		return error_errno(e, err, "the sandbox of '%s' cannot be entered", slug);
	*ret_sandbox = s;
	s = (struct sandbox)SANDBOX_INIT;
	return 0;
}

/*
 * Permitted and effective stay until the login becomes the worker; nothing can be added to them.
 * Without CAP_SYS_RESOURCE the session's limits are final: sudo puts back those that it found, and
 * pam_limits may come after us.
 */
static int capabilities_close(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];
	int err;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	err = capability_bounds_drop();
	if (err < 0)
		return err;
	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	for (size_t i = 0; i < ELEMENTSOF(d); i++)
		d[i].inheritable = 0;
	d[CAP_TO_INDEX(CAP_SYS_RESOURCE)].effective &= ~CAP_TO_MASK(CAP_SYS_RESOURCE);
	d[CAP_TO_INDEX(CAP_SYS_RESOURCE)].permitted &= ~CAP_TO_MASK(CAP_SYS_RESOURCE);
	if (syscall(SYS_capset, &h, d) < 0)
		return -errno;
	return 0;
}

/* The host's own limits hold too: never upwards. */
static int limit(__rlimit_resource_t what, uint64_t value)
{
	struct rlimit r;

	if (value == UINT64_MAX)
		return 0;
	if (getrlimit(what, &r) < 0)
		return -errno;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > value)
		r.rlim_max = value;
	r.rlim_cur = r.rlim_max;
	return setrlimit(what, &r) < 0 ? -errno : 0;
}

/*
 * Exactly 1, upwards too: it alone stops a dump that the host pipes to a program, and 0 is what
 * hardened hosts set.
 */
static int limit_core(uint64_t value)
{
	struct rlimit one = {.rlim_cur = 1, .rlim_max = 1};

	if (value != 1)
		return limit(RLIMIT_CORE, value);
	return setrlimit(RLIMIT_CORE, &one) < 0 ? -errno : 0;
}

static int limits_set(const struct sandbox *s)
{
	return limit_core(s->limits[KEEPER_LIMIT_CORE])
		?: limit(RLIMIT_NOFILE, s->limits[KEEPER_LIMIT_FILES])
		?: limit(RLIMIT_FSIZE, s->limits[KEEPER_LIMIT_FILE_SIZE]);
}

static int filter_load(const struct sandbox *s)
{
	struct sock_fprog program = {
		.len = (unsigned short)(s->filter_size / sizeof(struct sock_filter)),
		.filter = s->filter,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return -errno;
	return 0;
}

static int join(const struct sandbox *s)
{
	const int kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	int err = fault("enter-setns");

	if (err < 0)
		return err;
	if (setns(s->pidfd, kinds) < 0 || unshare(CLONE_NEWCGROUP) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

/* In the host's cgroup namespace still: where the caller then is becomes the root of its own. */
static int place(struct sandbox *s, struct error *e)
{
	struct keeper_request q = {.op = KEEPER_PLACE, .session = s->session};
	struct keeper_reply reply;
	size_t n = 1;

	return keeper_call(s->conn, &q, &reply, &s->logind, &n, left_until(s->deadline), e);
}

int sandbox_enter(struct sandbox *s, struct error *e)
{
	struct keeper_request ready = {.op = KEEPER_READY, .session = s->session};
	struct keeper_reply reply;
	int err = place(s, e);

	if (err < 0)
		return err;
	err = join(s);
	if (err < 0)
		return error_errno(e, err, "cannot join the sandbox's namespaces");
	err = limits_set(s);
	if (err < 0)
		return error_errno(e, err, "cannot set the limits of a session");
	err = fault("enter-capabilities") ?: capabilities_close();
	if (err < 0)
		return error_errno(e, err, "cannot close the capabilities");
	err = fault("enter-filter") ?: filter_load(s);
	if (err < 0)
		return error_errno(e, err, "cannot load the filter of system calls");
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return error_errno(e, -errno, "cannot mark the descriptors close-on-exec");
	err = fault("enter-ready");
	if (err < 0)
		return error_errno(e, err, "cannot tell the sandbox's keeper");
	return keeper_call(s->conn, &ready, &reply, NULL, NULL, left_until(s->deadline), e);
}

void sandbox_forget(struct sandbox *s)
{
	if (s->filter)
		munmap(s->filter, s->filter_size);
	closep(&s->conn);
	closep(&s->pidfd);
	closep(&s->dev);
	closep(&s->logind);
	*s = (struct sandbox)SANDBOX_INIT;
}

void sandbox_leave(struct sandbox *s)
{
	struct keeper_request q = {
		.version = KEEPER_VERSION, .op = KEEPER_LEAVE, .session = s->session};

	/* A keeper that does not read sees the holder's end all the same. */
	if (s->conn >= 0)
		wire_send(s->conn, &q, sizeof(q), NULL, 0);
	s->logind = -1;
	sandbox_forget(s);
}
