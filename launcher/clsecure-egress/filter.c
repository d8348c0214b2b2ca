/*
 * The system calls that serving names takes, and no other: it was made from what libc, libevent and
 * the resolver use, by hand, since a table of so few needs no compiler.
 *
 * What an intruder would try first kills the process; what libraries try and can do without is
 * ENOSYS or EPERM.
 */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* Both are little-endian: the low half of an argument is first. */
#define LOW(i) offsetof(struct seccomp_data, args[i])
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define IF_EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no))
#define IF_BITS(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (k), (yes), (no))
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

#define ALLOW(name) IF_EQUAL(SYS_##name, 0, 1), RETURN(SECCOMP_RET_ALLOW)
#define KILL(name) IF_EQUAL(SYS_##name, 0, 1), RETURN(SECCOMP_RET_KILL_PROCESS)

/* Only if the low half of an argument is one of these two. */
#define ONE_OF(name, arg, a, b, error)                                                             \
	IF_EQUAL(SYS_##name, 0, 5), LOAD(LOW(arg)), IF_EQUAL((a), 1, 0), IF_EQUAL((b), 0, 1),      \
		RETURN(SECCOMP_RET_ALLOW), RETURN(ERRNO(error))

/* Only without these bits in it. */
#define WITHOUT(name, arg, bits, error)                                                            \
	IF_EQUAL(SYS_##name, 0, 4), LOAD(LOW(arg)), IF_BITS((bits), 0, 1), RETURN(ERRNO(error)),   \
		RETURN(SECCOMP_RET_ALLOW)

#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_PATH | (O_TMPFILE & ~O_DIRECTORY))

static const struct sock_filter program[] = {
	LOAD(offsetof(struct seccomp_data, arch)),
	IF_EQUAL(ARCH, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(offsetof(struct seccomp_data, nr)),
	/* the sockets' */
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(recvfrom),
	ALLOW(sendto),
	ALLOW(recvmsg),
	ALLOW(sendmsg),
	ALLOW(recvmmsg),
	ALLOW(sendmmsg),
	ALLOW(accept4),
	ALLOW(connect),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(getsockopt),
	ALLOW(setsockopt),
	ALLOW(shutdown),
	ALLOW(splice),
	ALLOW(close),
	/* TCP and UDP.  No AF_UNIX: no daemon of the host can be asked; no AF_NETLINK. */
	IF_EQUAL(SYS_socket, 0, 11),
	LOAD(LOW(0)),
	IF_EQUAL(AF_INET, 1, 0),
	IF_EQUAL(AF_INET6, 0, 7),
	LOAD(LOW(2)),
	IF_EQUAL(0, 0, 5),
	LOAD(LOW(1)),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
	IF_EQUAL(SOCK_STREAM, 1, 0),
	IF_EQUAL(SOCK_DGRAM, 0, 1),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(ERRNO(EAFNOSUPPORT)),
	/* the loop's */
#ifdef SYS_epoll_wait
	ALLOW(epoll_wait),
	ALLOW(poll),
	ALLOW(time),
	ALLOW(access),
	ALLOW(stat),
	ALLOW(readlink),
	WITHOUT(open, 1, WRITES, EACCES),
#endif
	ALLOW(epoll_pwait),
#ifdef SYS_epoll_pwait2
	ALLOW(epoll_pwait2),
#endif
	ALLOW(epoll_ctl),
	ALLOW(epoll_create1),
	ALLOW(eventfd2),
	ALLOW(ppoll),
	ALLOW(clock_gettime),
	ALLOW(clock_nanosleep),
	ALLOW(gettimeofday),
	ALLOW(futex),
	/* the resolver's: it reads configuration, loads modules, runs in threads */
	WITHOUT(openat, 2, WRITES, EACCES),
	ALLOW(newfstatat),
	ALLOW(fstat),
	ALLOW(statx),
	ALLOW(faccessat),
	ALLOW(readlinkat),
	ALLOW(lseek),
	ALLOW(pread64),
	ONE_OF(ioctl, 1, FIONREAD, FIONBIO, ENOTTY),
	ONE_OF(fcntl, 1, F_GETFL, F_SETFL, EINVAL),
	ALLOW(uname),
	ALLOW(getrandom),
	ALLOW(sysinfo),
	ALLOW(sched_getaffinity),
	ALLOW(sched_yield),
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	/* Threads alone.  clone3 is unknown: its flags cannot be read. */
	IF_EQUAL(SYS_clone, 0, 4),
	LOAD(LOW(0)),
	IF_BITS(CLONE_THREAD, 1, 0),
	RETURN(ERRNO(EPERM)),
	RETURN(SECCOMP_RET_ALLOW),
	ALLOW(set_robust_list),
	ALLOW(rseq),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(exit),
	ALLOW(exit_group),
	ALLOW(restart_syscall),
	/* memory: code only from files, which root alone can write */
	ALLOW(munmap),
	ALLOW(mremap),
	ALLOW(madvise),
	ALLOW(brk),
	WITHOUT(mprotect, 2, PROT_EXEC, EPERM),
	IF_EQUAL(SYS_mmap, 0, 6),
	LOAD(LOW(2)),
	IF_BITS(PROT_EXEC, 0, 3),
	LOAD(LOW(3)),
	IF_BITS(MAP_ANONYMOUS, 0, 1),
	RETURN(ERRNO(EPERM)),
	RETURN(SECCOMP_RET_ALLOW),
	/* other processes */
	KILL(execve),
	KILL(execveat),
	KILL(ptrace),
	KILL(process_vm_readv),
	KILL(process_vm_writev),
	KILL(kill),
	KILL(tkill),
	KILL(pidfd_open),
	KILL(pidfd_getfd),
	KILL(pidfd_send_signal),
	/* limits are read, by libc, and never set */
	IF_EQUAL(SYS_prlimit64, 0, 6),
	LOAD(LOW(2)),
	IF_EQUAL(0, 0, 2),
	LOAD(LOW(2) + 4),
	IF_EQUAL(0, 1, 0),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	RETURN(SECCOMP_RET_ALLOW),
	KILL(bpf),
	KILL(unshare),
	KILL(setns),
	KILL(mount),
	RETURN(ERRNO(ENOSYS)),
};

int filter_load(void)
{
	const struct sock_fprog fprog = {.len = ELEMENTSOF(program),
		.filter = (struct sock_filter *)(uintptr_t)program};

	if (SANITIZED) /* whose runtime needs more; such a build is for tests alone */
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &fprog) < 0 ? -errno : 0;
}
