/*
 * Two programs made by libseccomp, joined into one: first the rules that refuse (default: allow),
 * then the list of what is known (default: ENOSYS).  In the first, "allow" becomes a jump to the
 * start of the second.  So a refusal may look at any argument without its complement being spelled
 * out, and wins.
 *
 * An argument that the kernel takes as 32 bits is compared by its low 32 bits (MASKED_EQ), or in a
 * way that a high half other than 0 is refused: the register's upper half is the caller's to
 * choose.
 */
#include "config.h"
#include "lib/sandbox/filter.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define LOW32 0xffffffffULL
#define BIT(arg, bit) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, (bit), (bit))
#define LOW(arg, value) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, LOW32, (value))
#define TYPE(arg, type) SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, S_IFMT, (type))
#define TMPFILE_BIT ((unsigned)O_TMPFILE & ~(unsigned)O_DIRECTORY)

struct rule {
	const char *names; /* blanks between */
	int error;
	unsigned n_args;
	struct scmp_arg_cmp args[3]; /* all must hold */
};

/* Calls that libseccomp 2.5.4 has no name for; one number on every architecture. */
static const struct {
	const char *name;
	int number;
} numbers[] = {
	{"process_mrelease", 448}, {"futex_waitv", 449}, {"set_mempolicy_home_node", 450},
	{"cachestat", 451}, {"fchmodat2", 452}, {"map_shadow_stack", 453}, {"futex_wake", 454},
	{"futex_wait", 455}, {"futex_requeue", 456}, {"mseal", 462}, {"setxattrat", 463},
	{"getxattrat", 464}, {"listxattrat", 465}, {"removexattrat", 466},
};

static const char *const known[] = {
	/* files */
	"access chdir chmod close close_range copy_file_range creat dup dup2 dup3 faccessat",
	"faccessat2 fallocate fchdir fchmod fchmodat fchmodat2 fcntl fcntl64 fdatasync fgetxattr",
	"flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync",
	"ftruncate ftruncate64 futimesat getcwd getdents getdents64 getxattr getxattrat",
	"inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lgetxattr link linkat",
	"listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 mkdir",
	"mkdirat mknod mknodat name_to_handle_at newfstatat open openat readlink readlinkat",
	"removexattr removexattrat rename renameat renameat2 rmdir setxattr setxattrat stat",
	"stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs truncate",
	"truncate64 umask unlink unlinkat utime utimensat utimes fadvise64 readahead cachestat",
	"chown fchown fchownat lchown",
	/* descriptors */
	"read write readv writev pread64 pwrite64 preadv preadv2 pwritev pwritev2 sendfile splice",
	"tee vmsplice pipe pipe2 ioctl poll ppoll select pselect6 epoll_create epoll_create1",
	"epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd",
	"eventfd2 signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime memfd_create",
	"memfd_secret io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents",
	/* sockets */
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom",
	"recvmmsg recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socket socketcall",
	"socketpair",
	/* memory */
	"brk madvise mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal msync munlock",
	"munlockall munmap map_shadow_stack membarrier mbind get_mempolicy set_mempolicy",
	"set_mempolicy_home_node migrate_pages move_pages pkey_alloc pkey_free pkey_mprotect",
	"process_madvise process_mrelease remap_file_pages",
	/* processes */
	"arch_prctl clone execve execveat exit exit_group fork vfork wait4 waitid waitpid prctl",
	"kill tgkill tkill pidfd_getfd pidfd_open pidfd_send_signal getpgid getpgrp getpid",
	"getppid getsid gettid setpgid setsid getcpu getpriority setpriority getrlimit prlimit64",
	"setrlimit getrusage ioprio_get ioprio_set kcmp rseq restart_syscall",
	"sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr",
	"sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr",
	"sched_setparam sched_setscheduler sched_yield set_robust_list get_robust_list",
	"set_thread_area get_thread_area set_tid_address futex futex_wait futex_waitv futex_wake",
	"futex_requeue ptrace process_vm_readv process_vm_writev seccomp landlock_create_ruleset",
	"landlock_add_rule landlock_restrict_self",
	/* ids: a login becomes the worker after it has entered */
	"capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid",
	"setfsuid setgid setgroups setregid setresgid setresuid setreuid setuid",
	/* signals and time */
	"alarm pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn",
	"rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack clock_getres clock_gettime",
	"clock_nanosleep getitimer setitimer gettimeofday nanosleep time timer_create",
	"timer_delete timer_getoverrun timer_gettime timer_settime times",
	/* System V and POSIX IPC */
	"ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget",
	"msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget",
	/* the machine */
	"getrandom sysinfo uname ustat sysfs",
};

/*
 * Allowed only with exactly this first argument: the query, none, and what setarch -R and gdb set.
 */
static const uint64_t personalities[] = {0, LOW32, 0x0040000 /* ADDR_NO_RANDOMIZE */};

static const struct rule refused[] = {
	/* A setuid file made in an idmapped project would belong to the person, on the host. */
	{"chmod fchmod creat mkdir mknod", EPERM, 1, {BIT(1, S_ISUID)}},
	{"fchmodat fchmodat2 mkdirat mknodat", EPERM, 1, {BIT(2, S_ISUID)}},
	{"open", EPERM, 2, {BIT(1, O_CREAT), BIT(2, S_ISUID)}},
	{"open", EPERM, 2, {BIT(1, TMPFILE_BIT), BIT(2, S_ISUID)}},
	{"openat", EPERM, 2, {BIT(2, O_CREAT), BIT(3, S_ISUID)}},
	{"openat", EPERM, 2, {BIT(2, TMPFILE_BIT), BIT(3, S_ISUID)}},
	/* Devices; 0:0 would be an overlay's whiteout. */
	{"mknod", EPERM, 1, {TYPE(1, S_IFCHR)}},
	{"mknod", EPERM, 1, {TYPE(1, S_IFBLK)}},
	{"mknodat", EPERM, 1, {TYPE(2, S_IFCHR)}},
	{"mknodat", EPERM, 1, {TYPE(2, S_IFBLK)}},
	{"renameat2", EPERM, 1, {BIT(4, RENAME_WHITEOUT)}},
	/* A lease on a file of the project would hold up whoever opens it on the host. */
	{"fcntl", EPERM, 1, {LOW(1, F_SETLEASE)}},
	/* Characters pushed into a terminal's input. */
	{"ioctl", EPERM, 1, {LOW(1, TIOCSTI)}},
	{"ioctl", EPERM, 1, {LOW(1, TIOCLINUX)}},
	/* A line discipline is a driver of the host's kernel, loaded on demand. */
	{"ioctl", EPERM, 1, {LOW(1, TIOCSETD)}},
	/* By a file's project number its owner would choose the quota that it counts for. */
	{"ioctl", EPERM, 1, {LOW(1, FS_IOC_FSSETXATTR)}},
	/*
	 * Where the host pipes core dumps to a program of root's, the limit of 1 byte keeps it from
	 * running; 0 would start it.  Programs that want no dump (ssh-agent, gpg) have what they
	 * want: they are told yes.
	 */
	{"setrlimit", 0, 1, {LOW(0, RLIMIT_CORE)}},
	{"prlimit64", 0, 3,
		{LOW(1, RLIMIT_CORE), SCMP_CMP64(2, SCMP_CMP_NE, 0),
			SCMP_CMP64(3, SCMP_CMP_EQ, 0)}},
	{"prlimit64", EPERM, 3,
		{LOW(1, RLIMIT_CORE), SCMP_CMP64(2, SCMP_CMP_NE, 0),
			SCMP_CMP64(3, SCMP_CMP_NE, 0)}},
	/*
	 * Families: UNIX, INET, INET6, and NETLINK for ROUTE.  AF_VSOCK, AF_ALG know no namespace.
	 */
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 0)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 3)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 4)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 5)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 6)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 7)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 8)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 9)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 11)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 12)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 13)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 14)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_EQ, 15)}},
	{"socket", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_GT, AF_NETLINK)}},
	{"socket", EPROTONOSUPPORT, 2,
		{SCMP_CMP64(0, SCMP_CMP_EQ, AF_NETLINK), SCMP_CMP64(2, SCMP_CMP_NE, 0)}},
	{"socketpair", EAFNOSUPPORT, 1, {SCMP_CMP64(0, SCMP_CMP_NE, AF_UNIX)}},
	/*
	 * Namespaces; clone3, whose flags lie behind a pointer, is unknown, and glibc falls back.
	 */
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWNS)}},
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWCGROUP)}},
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWUTS)}},
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWIPC)}},
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWUSER)}},
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWPID)}},
	{"clone", EPERM, 1, {BIT(0, CLONE_NEWNET)}},
	{"unshare setns", EPERM},
	{"mount umount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig", EPERM},
	{"fsmount fspick mount_setattr", EPERM},
	/* Keyrings belong to a uid, not to a namespace. */
	{"add_key keyctl request_key", EPERM},
	{"bpf perf_event_open userfaultfd fanotify_init fanotify_mark open_by_handle_at", EPERM},
	{"lookup_dcookie", EPERM},
	{"acct quotactl quotactl_fd swapon swapoff reboot kexec_load kexec_file_load", EPERM},
	{"syslog vhangup", EPERM},
	{"init_module finit_module delete_module create_module query_module", EPERM},
	{"get_kernel_syms nfsservctl", EPERM},
	{"iopl ioperm modify_ldt vm86 vm86old settimeofday stime clock_settime", EPERM},
	{"clock_adjtime adjtimex", EPERM},
	{"sethostname setdomainname", EPERM},
};

static const struct rule ptrace_rule = {
	"ptrace process_vm_readv process_vm_writev pidfd_getfd", EPERM};

static void seccomp_releasep(scmp_filter_ctx *c)
{
	if (*c)
		seccomp_release(*c);
}

/* The number here, or -1: this architecture has no such call. */
static int number_of(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < ELEMENTSOF(numbers); i++)
		if (streq(numbers[i].name, name))
			return numbers[i].number;
	return nr < 0 ? -1 : nr;
}

static int add_names(scmp_filter_ctx c, uint32_t action, const char *names, unsigned n_args,
	const struct scmp_arg_cmp *args)
{
	char copy[256], *save = NULL;

	if (strlen(names) >= sizeof(copy))
		return -E2BIG;
	strcpy(copy, names);
	for (char *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		int nr = number_of(name), err;

		if (nr < 0)
			continue;
		err = seccomp_rule_add_array(c, action, nr, n_args, args);
		if (err < 0)
			return err;
	}
	return 0;
}

static int add_rule(scmp_filter_ctx c, const struct rule *r)
{
	return add_names(c, SCMP_ACT_ERRNO((uint32_t)r->error), r->names, r->n_args, r->args);
}

static int context_new(uint32_t action, scmp_filter_ctx *ret)
{
	scmp_filter_ctx c = seccomp_init(action);
	int err;

	if (!c)
		return -ENOMEM;
	err = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (err == 0)
		err = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
	if (err < 0) {
		seccomp_release(c);
		return err;
	}
	*ret = c;
	return 0;
}

/* Appends a context's program to fd; returns the number of bytes. */
static ssize_t export_program(scmp_filter_ctx c, int fd)
{
	off_t before = lseek(fd, 0, SEEK_END), after;
	int err = seccomp_export_bpf(c, fd);

	if (err < 0)
		return err;
	after = lseek(fd, 0, SEEK_END);
	return before < 0 || after < 0 ? -errno : after - before;
}

static int build_refused(const struct filter_options *o, int fd, size_t *ret_size)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx c = NULL;
	int err = context_new(SCMP_ACT_ALLOW, &c);
	ssize_t n;

	for (size_t i = 0; err == 0 && i < ELEMENTSOF(refused); i++)
		err = add_rule(c, &refused[i]);
	if (err == 0 && !o->allow_ptrace)
		err = add_rule(c, &ptrace_rule);
	if (err < 0)
		return err;
	n = export_program(c, fd);
	if (n < 0)
		return (int)n;
	*ret_size = (size_t)n;
	return 0;
}

static int build_known(int fd)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx c = NULL;
	int err = context_new(SCMP_ACT_ERRNO(ENOSYS), &c);
	ssize_t n;

	for (size_t i = 0; err == 0 && i < ELEMENTSOF(known); i++)
		err = add_names(c, SCMP_ACT_ALLOW, known[i], 0, NULL);
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(personalities); i++) {
		struct scmp_arg_cmp arg = SCMP_CMP64(0, SCMP_CMP_EQ, personalities[i]);

		err = add_names(c, SCMP_ACT_ALLOW, "personality", 1, &arg);
	}
	if (err < 0)
		return err;
	n = export_program(c, fd);
	return n < 0 ? (int)n : 0;
}

/* "Allow" in the first `size` bytes becomes a jump behind them. */
static int join_programs(int fd, size_t size)
{
	size_t n = size / sizeof(struct sock_filter);
	_cleanup_free_ struct sock_filter *p = calloc(n, sizeof(*p));

	if (!p)
		return -ENOMEM;
	if (pread(fd, p, size, 0) != (ssize_t)size)
		return -EIO;
	for (size_t i = 0; i < n; i++)
		if (p[i].code == (BPF_RET | BPF_K) && p[i].k == SECCOMP_RET_ALLOW)
			p[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA,
				(uint32_t)(n - i - 1));
	return pwrite(fd, p, size, 0) == (ssize_t)size ? 0 : -EIO;
}

int filter_build(const struct filter_options *o, int *ret_fd, struct error *e)
{
	_cleanup_close_ int fd = memfd_create("clsecure-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	size_t size = 0;
	int err;

	if (fd < 0)
		return error_errno(e, -errno, "cannot build the filter of system calls");
	err = build_refused(o, fd, &size);
	if (err == 0)
		err = build_known(fd);
	if (err == 0)
		err = join_programs(fd, size);
	if (err == 0 &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
			0)
		err = -errno;
	if (err < 0)
		return error_errno(e, err, "cannot build the filter of system calls");
	*ret_fd = TAKE_FD(fd);
	return 0;
}
