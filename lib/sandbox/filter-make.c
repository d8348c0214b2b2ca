/*
 * Compiles the filter of system calls, for every architecture, when clsecure is built: writes
 * filter-program.h.  It runs on the machine that builds, and is not installed.
 *
 * A program has three parts.  libseccomp makes two, the rules that refuse (default: allow) and the
 * list of what is known (default: ENOSYS); the last is the calls that a libseccomp may be too old
 * to have a name for.  In the first, "allow" becomes a jump to the start of the second; in the
 * second, "ENOSYS" a jump to the start of the third.  So a refusal may look at any argument without
 * its complement being spelled out, and wins.
 *
 * An argument that the kernel takes as 32 bits is compared by its low 32 bits (MASKED_EQ), or in a
 * way that a high half other than 0 is refused: the register's upper half is the caller's to
 * choose.
 *
 * The constants are those of the machine that builds, which may be neither of the two: what is not
 * one number on every Linux is asserted below.
 */
#define _GNU_SOURCE
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
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

/* x86_64 and aarch64 agree on these; mips, powerpc, sparc, alpha, parisc do not on each. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "libseccomp exports the target's order");
_Static_assert(O_CREAT == 0100 && TMPFILE_BIT == 020000000, "open");
_Static_assert(F_SETLEASE == 1024, "fcntl");
_Static_assert(TIOCSTI == 0x5412 && TIOCLINUX == 0x541c && TIOCSETD == 0x5423, "ioctl");
_Static_assert(FS_IOC_FSSETXATTR == 0x401c5820, "ioctl of a file");
_Static_assert(RLIMIT_CORE == 4, "setrlimit");
_Static_assert(AF_UNIX == 1 && AF_NETLINK == 16, "socket");
_Static_assert(EPERM == 1 && ENOSYS == 38 && EPROTONOSUPPORT == 93 && EAFNOSUPPORT == 97, "errno");

struct rule {
	const char *names; /* blanks between */
	int error;
	unsigned n_args;
	struct scmp_arg_cmp args[3]; /* all must hold */
};

/* Allowed too; one number on every architecture. */
static const struct {
	unsigned number;
	unsigned refused; /* bits of the third argument: EPERM */
} newer[] = {
	{448}, /* process_mrelease */
	{449}, /* futex_waitv */
	{450}, /* set_mempolicy_home_node */
	{451}, /* cachestat */
	{452, S_ISUID}, /* fchmodat2 */
	{453}, /* map_shadow_stack */
	{454}, {455}, {456}, /* futex_wake, futex_wait, futex_requeue */
	{462}, /* mseal */
	{463}, {464}, {465}, {466}, /* setxattrat, getxattrat, listxattrat, removexattrat */
};

static const char *const known[] = {
	/* files */
	"access chdir chmod close close_range copy_file_range creat dup dup2 dup3 faccessat",
	"faccessat2 fallocate fchdir fchmod fchmodat fcntl fcntl64 fdatasync fgetxattr flistxattr",
	"flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate",
	"ftruncate64 futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init",
	"inotify_init1 inotify_rm_watch lgetxattr link linkat listxattr llistxattr lremovexattr",
	"lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat",
	"open openat readlink readlinkat removexattr rename renameat renameat2 rmdir setxattr",
	"stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs truncate",
	"truncate64 umask unlink unlinkat utime utimensat utimes fadvise64 readahead chown fchown",
	"fchownat lchown",
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
	"brk madvise mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap msync munlock",
	"munlockall munmap membarrier mbind get_mempolicy set_mempolicy migrate_pages move_pages",
	"pkey_alloc pkey_free pkey_mprotect process_madvise remap_file_pages",
	/* processes */
	"arch_prctl clone execve execveat exit exit_group fork vfork wait4 waitid waitpid prctl",
	"kill tgkill tkill pidfd_getfd pidfd_open pidfd_send_signal getpgid getpgrp getpid",
	"getppid getsid gettid setpgid setsid getcpu getpriority setpriority getrlimit prlimit64",
	"setrlimit getrusage ioprio_get ioprio_set kcmp rseq restart_syscall",
	"sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr",
	"sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr",
	"sched_setparam sched_setscheduler sched_yield set_robust_list get_robust_list",
	"set_thread_area get_thread_area set_tid_address futex ptrace process_vm_readv",
	"process_vm_writev seccomp landlock_create_ruleset landlock_add_rule",
	"landlock_restrict_self",
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
	{"fchmodat mkdirat mknodat", EPERM, 1, {BIT(2, S_ISUID)}},
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

/* What is made: a program for each architecture, without and with ptrace. */
static const struct {
	const char *name;
	uint32_t arch;
} architectures[] = {{"x86_64", SCMP_ARCH_X86_64}, {"aarch64", SCMP_ARCH_AARCH64}};

struct program {
	uint32_t arch;
	struct sock_filter code[BPF_MAXINSNS];
	size_t n;
};

static void seccomp_releasep(scmp_filter_ctx *c)
{
	if (*c)
		seccomp_release(*c);
}

/*
 * The library takes the number here, whatever architecture the rule is for.  A name that it does
 * not know is a mistake in the table, or it is too old.
 */
static int add_name(scmp_filter_ctx c, uint32_t arch, uint32_t action, const char *name,
	unsigned n_args, const struct scmp_arg_cmp *args)
{
	int there = seccomp_syscall_resolve_name_arch(arch, name);

	if (there == __NR_SCMP_ERROR) {
		fprintf(stderr, "filter-make: libseccomp knows no call '%s'\n", name);
		return -ENOENT;
	}
	if (there < 0) /* that architecture has no such call */
		return 0;
	return seccomp_rule_add_array(c, action, seccomp_syscall_resolve_name(name), n_args, args);
}

static int add_names(scmp_filter_ctx c, uint32_t arch, uint32_t action, const char *names,
	unsigned n_args, const struct scmp_arg_cmp *args)
{
	_cleanup_free_ char *copy = strdup(names);
	char *save = NULL;
	int err = copy ? 0 : -ENOMEM;

	for (char *name = copy; err == 0 && (name = strtok_r(name, " ", &save)); name = NULL)
		err = add_name(c, arch, action, name, n_args, args);
	return err;
}

static int add_rule(scmp_filter_ctx c, uint32_t arch, const struct rule *r)
{
	return add_names(c, arch, SCMP_ACT_ERRNO((uint32_t)r->error), r->names, r->n_args, r->args);
}

static int context_new(uint32_t arch, uint32_t action, scmp_filter_ctx *ret)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx c = seccomp_init(action);
	int err = c ? 0 : -ENOMEM;

	if (err == 0)
		err = seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (err == 0)
		err = seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a list */
	if (err == 0 && arch != seccomp_arch_native())
		err = seccomp_arch_add(c, arch) ?: seccomp_arch_remove(c, SCMP_ARCH_NATIVE);
	if (err == 0)
		*ret = TAKE_PTR(c);
	return err;
}

/* Appends what the context says. */
static int append(struct program *p, scmp_filter_ctx c)
{
	_cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t room = sizeof(p->code) - p->n * sizeof(p->code[0]);
	int err = fd < 0 ? -errno : seccomp_export_bpf(c, fd);
	ssize_t size;

	if (err < 0)
		return err;
	size = pread(fd, p->code + p->n, room, 0);
	if (size <= 0 || (size_t)size >= room)
		return -E2BIG;
	p->n += (size_t)size / sizeof(p->code[0]);
	return 0;
}

static int append_refused(struct program *p, bool ptrace)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx c = NULL;
	int err = context_new(p->arch, SCMP_ACT_ALLOW, &c);

	for (size_t i = 0; err == 0 && i < ELEMENTSOF(refused); i++)
		err = add_rule(c, p->arch, &refused[i]);
	if (err == 0 && !ptrace)
		err = add_rule(c, p->arch, &ptrace_rule);
	return err < 0 ? err : append(p, c);
}

static int append_known(struct program *p)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx c = NULL;
	int err = context_new(p->arch, SCMP_ACT_ERRNO(ENOSYS), &c);

	for (size_t i = 0; err == 0 && i < ELEMENTSOF(known); i++)
		err = add_names(c, p->arch, SCMP_ACT_ALLOW, known[i], 0, NULL);
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(personalities); i++) {
		struct scmp_arg_cmp arg = SCMP_CMP64(0, SCMP_CMP_EQ, personalities[i]);

		err = add_names(c, p->arch, SCMP_ACT_ALLOW, "personality", 1, &arg);
	}
	return err < 0 ? err : append(p, c);
}

static void step(struct program *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	if (p->n < ELEMENTSOF(p->code))
		p->code[p->n++] = (struct sock_filter){code, yes, no, k};
}

/* Here the architecture is ours; both are little-endian, the low half of an argument is first. */
static int append_newer(struct program *p)
{
	const uint32_t third = offsetof(struct seccomp_data, args[2]);

	step(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ELEMENTSOF(newer); i++) {
		uint32_t bits = newer[i].refused;

		step(p, BPF_JMP | BPF_JEQ | BPF_K, 0, bits ? 4 : 1, newer[i].number);
		if (bits) {
			step(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, third);
			step(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
			step(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM);
		}
		step(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	}
	step(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
	return p->n < ELEMENTSOF(p->code) ? 0 : -E2BIG;
}

/*
 * What is returned from `from` on becomes a jump to the end, where the next part begins.  If there
 * was none to change, nothing would ever come to that part.
 */
static int go_on(struct program *p, size_t from, uint32_t value)
{
	size_t changed = 0;

	for (size_t i = from; i < p->n; i++)
		if (p->code[i].code == (BPF_RET | BPF_K) && p->code[i].k == value) {
			p->code[i] = (struct sock_filter)BPF_STMT(
				BPF_JMP | BPF_JA, (uint32_t)(p->n - i - 1));
			changed++;
		}
	if (changed == 0)
		fprintf(stderr, "filter-make: nothing leads to the next part\n");
	return changed > 0 ? 0 : -EPROTO;
}

static int compile(struct program *p, bool ptrace)
{
	size_t second;
	int err = append_refused(p, ptrace) ?: go_on(p, 0, SECCOMP_RET_ALLOW);

	if (err < 0)
		return err;
	second = p->n;
	err = append_known(p) ?: go_on(p, second, SECCOMP_RET_ERRNO | ENOSYS);
	return err < 0 ? err : append_newer(p);
}

static void print(const struct program *p, const char *name)
{
	printf("\nstatic const struct sock_filter %s[] = {\n", name);
	for (size_t i = 0; i < p->n; i++)
		printf("\t{0x%02x, %u, %u, 0x%08x},\n", p->code[i].code, p->code[i].jt,
			p->code[i].jf, p->code[i].k);
	printf("};\n");
}

int main(void)
{
	static struct program p;
	int err = 0;

	printf("/* Made by filter-make. */\n#include <linux/filter.h>\n");
	for (size_t i = 0; err == 0 && i < 2 * ELEMENTSOF(architectures); i++) {
		bool ptrace = i % 2;
		char name[64];

		p = (struct program){.arch = architectures[i / 2].arch};
		snprintf(name, sizeof(name), "filter_%s%s", architectures[i / 2].name,
			ptrace ? "_ptrace" : "");
		err = compile(&p, ptrace);
		print(&p, name);
	}
	if (err == 0 && fclose(stdout) != 0)
		err = -errno;
	if (err < 0)
		fprintf(stderr, "filter-make: %s\n", strerror(-err));
	return err < 0;
}
