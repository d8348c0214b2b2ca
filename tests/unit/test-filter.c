/* The filter of system calls, loaded in children that then try. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/sandbox/filter.h"

#define ALLOWED (-1) /* any result that the kernel itself gives */
#define HIGH (1L << 32)

struct probe {
	const char *what;
	int expect; /* errno, 0: success, ALLOWED: neither ENOSYS nor EPERM */
	long number;
	long args[6];
};

static struct sock_fprog program;

static int load(void **state)
{
	struct filter_options o = {.allow_ptrace = true};
	struct error e = {0};
	struct stat st;
	int fd = -1;

	if (filter_open(&o, &fd, &e) < 0 || fstat(fd, &st) < 0)
		return -1;
	program.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	program.filter = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return program.filter == MAP_FAILED ? -1 : 0;
}

/* The errno of one call under a filter, in a child. */
static int outcome(const struct sock_fprog *f, const struct probe *p)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		const long *a = p->args;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, f) < 0)
			_exit(254);
		if (syscall(p->number, a[0], a[1], a[2], a[3], a[4], a[5]) >= 0)
			_exit(0);
		_exit(errno);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 254);
	return WEXITSTATUS(status);
}

static void check_all(const struct probe *probes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int got = outcome(&program, &probes[i]);
		bool ok = probes[i].expect == ALLOWED
			? got != ENOSYS && got != EPERM
			: got == probes[i].expect;

		if (!ok)
			fail_msg("%s: errno %d, not %d", probes[i].what, got, probes[i].expect);
	}
}

static void setuid_files(void **state)
{
	static const char none[] = "/nonexistent/x";
	const long path = (long)none, at = AT_FDCWD, isuid = S_ISUID | 0755;
	const struct probe probes[] = {
		{"fchmod suid", EPERM, SYS_fchmod, {-1, isuid}},
		{"fchmod suid, dirty high half", EPERM, SYS_fchmod, {-1, isuid | HIGH}},
		{"fchmod sgid", ALLOWED, SYS_fchmod, {-1, S_ISGID | 0755}},
		{"fchmodat suid", EPERM, SYS_fchmodat, {at, path, isuid}},
		{"fchmodat2 suid", EPERM, 452, {at, path, isuid, 0}},
		{"mkdirat suid", EPERM, SYS_mkdirat, {at, path, isuid}},
		{"mkdirat sgid", ENOENT, SYS_mkdirat, {at, path, S_ISGID | 0755}},
		{"openat creat suid", EPERM, SYS_openat, {at, path, O_CREAT | O_WRONLY, isuid}},
		{"openat tmpfile suid", EPERM, SYS_openat, {at, path, O_TMPFILE | O_RDWR, isuid}},
		{"openat without creat, garbage for a mode", ENOENT, SYS_openat,
			{at, path, O_RDONLY, isuid}},
		{"openat directory, garbage for a mode", ENOENT, SYS_openat,
			{at, path, O_RDONLY | O_DIRECTORY, isuid}},
		{"openat creat", ENOENT, SYS_openat, {at, path, O_CREAT | O_WRONLY, 0644}},
		{"openat2", ENOSYS, SYS_openat2, {at, path, 0, 0}},
		{"mknodat fifo", ENOENT, SYS_mknodat, {at, path, S_IFIFO | 0600, 0}},
		{"mknodat suid", EPERM, SYS_mknodat, {at, path, S_IFREG | isuid, 0}},
		{"mknodat whiteout", EPERM, SYS_mknodat, {at, path, S_IFCHR, 0}},
		{"renameat2", ENOENT, SYS_renameat2, {at, path, at, path, RENAME_NOREPLACE}},
		{"renameat2 whiteout", EPERM, SYS_renameat2, {at, path, at, path, RENAME_WHITEOUT}},
		{"mknodat block", EPERM, SYS_mknodat, {at, path, S_IFBLK | 0600, 0x700}},
#ifdef SYS_chmod
		{"chmod suid", EPERM, SYS_chmod, {path, isuid}},
		{"chmod", ENOENT, SYS_chmod, {path, 0755}},
		{"creat suid", EPERM, SYS_creat, {path, isuid}},
		{"mkdir suid", EPERM, SYS_mkdir, {path, isuid}},
		{"mknod suid", EPERM, SYS_mknod, {path, S_IFREG | isuid, 0}},
		{"open creat suid", EPERM, SYS_open, {path, O_CREAT | O_WRONLY, isuid}},
		{"open tmpfile suid", EPERM, SYS_open, {path, O_TMPFILE | O_RDWR, isuid}},
		{"open, garbage for a mode", ENOENT, SYS_open, {path, O_RDONLY, isuid}},
#endif
	};

	check_all(probes, ELEMENTSOF(probes));
}

static void families(void **state)
{
	for (long family = 0; family < 64; family++) {
		bool good = family == AF_UNIX || family == AF_INET || family == AF_INET6 ||
			family == AF_NETLINK;
		struct probe p = {"socket", 0, SYS_socket,
			{family, family == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0}};
		int got = outcome(&program, &p);

		/* a kernel without IPv6 says so itself */
		if (good)
			assert_true(got == 0 || family == AF_INET6);
		else
			assert_int_equal(got, EAFNOSUPPORT);
		p.args[0] |= HIGH;
		if (!good)
			assert_int_equal(outcome(&program, &p), EAFNOSUPPORT);
	}
	check_all(
		(const struct probe[]){
			{"netlink audit", EPROTONOSUPPORT, SYS_socket, {AF_NETLINK, SOCK_RAW, 9}},
			{"netlink audit, high half", EPROTONOSUPPORT, SYS_socket,
				{AF_NETLINK, SOCK_RAW, 9 | HIGH}},
			{"socketpair inet", EAFNOSUPPORT, SYS_socketpair,
				{AF_INET, SOCK_STREAM, 0, 0}},
			{"socketpair unix", EFAULT, SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, 0}},
		},
		4);
}

static void terminals(void **state)
{
	const struct probe probes[] = {
		{"TIOCSTI", EPERM, SYS_ioctl, {-1, TIOCSTI, 0}},
		{"TIOCSTI, high half", EPERM, SYS_ioctl, {-1, TIOCSTI | HIGH, 0}},
		{"TIOCSETD", EPERM, SYS_ioctl, {-1, TIOCSETD, 0}},
		{"TIOCSETD, high half", EPERM, SYS_ioctl, {-1, TIOCSETD | HIGH, 0}},
		{"FS_IOC_FSSETXATTR", EPERM, SYS_ioctl, {-1, FS_IOC_FSSETXATTR, 0}},
		{"TIOCLINUX", EPERM, SYS_ioctl, {-1, TIOCLINUX, 0}},
		{"TIOCLINUX, sign bits", EPERM, SYS_ioctl,
			{-1, (long)0xffffffff00000000UL | TIOCLINUX, 0}},
		{"TIOCGWINSZ", EBADF, SYS_ioctl, {-1, TIOCGWINSZ, 0}},
	};

	check_all(probes, ELEMENTSOF(probes));
}

static void namespaces(void **state)
{
	static const long flags[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
		CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};

	for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
		struct probe p = {"clone", 0, SYS_clone, {flags[i] | 17, 0, 0, 0, 0}};

		assert_int_equal(outcome(&program, &p), EPERM);
		p.number = SYS_unshare;
		p.args[0] = flags[i];
		assert_int_equal(outcome(&program, &p), EPERM);
	}
	check_all((const struct probe[]){
		{"clone3", ENOSYS, SYS_clone3, {0, 0}},
		{"setns", EPERM, SYS_setns, {-1, 0}},
		{"mount", EPERM, SYS_mount, {0, 0, 0, 0, 0}},
		{"pivot_root", EPERM, SYS_pivot_root, {0, 0}},
		{"chroot", EPERM, SYS_chroot, {0}},
		{"open_tree", EPERM, SYS_open_tree, {-1, 0, 0}},
		{"mount_setattr", EPERM, SYS_mount_setattr, {-1, 0, 0, 0, 0}},
	}, 7);
}

static void dangerous(void **state)
{
	const struct probe probes[] = {
		{"keyctl", EPERM, SYS_keyctl, {0, 0, 0}},
		{"add_key", EPERM, SYS_add_key, {0, 0, 0, 0, 0}},
		{"request_key", EPERM, SYS_request_key, {0, 0, 0, 0}},
		{"bpf", EPERM, SYS_bpf, {0, 0, 0}},
		{"perf_event_open", EPERM, SYS_perf_event_open, {0, 0, 0, 0, 0}},
		{"userfaultfd", EPERM, SYS_userfaultfd, {0}},
		{"io_uring_setup", ENOSYS, SYS_io_uring_setup, {1, 0}},
		{"syslog", EPERM, SYS_syslog, {3, 0, 0}},
		{"reboot", EPERM, SYS_reboot, {0, 0, 0, 0}},
		{"F_SETLEASE", EPERM, SYS_fcntl, {-1, F_SETLEASE, F_RDLCK}},
		{"F_SETLEASE, high half", EPERM, SYS_fcntl, {-1, F_SETLEASE | HIGH, F_RDLCK}},
		{"F_GETFL", EBADF, SYS_fcntl, {-1, F_GETFL}},
		{"personality query", 0, SYS_personality, {0xffffffff}},
		{"personality no-random", 0, SYS_personality, {ADDR_NO_RANDOMIZE}},
		{"personality execute-all", ENOSYS, SYS_personality, {READ_IMPLIES_EXEC}},
		{"unknown", ENOSYS, 1023, {0}},
#ifdef __x86_64__
		{"x32", ENOSYS, 0x40000000 + SYS_getpid, {0}},
#endif
	};

	check_all(probes, ELEMENTSOF(probes));
}

/* What a login that is still root needs, and what every program does. */
static void needed(void **state)
{
	const uid_t me = getuid();
	const struct probe probes[] = {
		{"setresuid", 0, SYS_setresuid, {me, me, me}},
		{"setresgid", 0, SYS_setresgid, {-1, -1, -1}},
		{"setgroups", getuid() == 0 ? 0 : EPERM, SYS_setgroups, {0, 0}},
		{"setfsuid", 0, SYS_setfsuid, {me}},
		{"fchown", EBADF, SYS_fchown, {-1, 0, 0}},
		{"capget", EFAULT, SYS_capget, {0, 0}},
		{"setpriority", 0, SYS_setpriority, {0, 0, 19}},
		{"seccomp", EINVAL, SYS_seccomp, {99, 0, 0}},
		{"prctl", 0, SYS_prctl, {PR_GET_DUMPABLE, 0, 0, 0, 0}},
		{"memfd_create", EFAULT, SYS_memfd_create, {0, 0}},
		{"close_range", 0, SYS_close_range, {1000, 1001, 0}},
		{"pidfd_open", 0, SYS_pidfd_open, {getpid(), 0}},
		{"ptrace", ESRCH, SYS_ptrace, {PTRACE_ATTACH, 0x3fffffff, 0, 0}},
		{"process_vm_readv", 0, SYS_process_vm_readv, {0x3fffffff, 0, 0, 0, 0, 0}},
		{"pidfd_getfd", EBADF, SYS_pidfd_getfd, {-1, 0, 0}},
	};

	check_all(probes, ELEMENTSOF(probes));
}

static void without_ptrace(void **state)
{
	struct filter_options o = {.allow_ptrace = false};
	struct probe probes[] = {
		{"ptrace", EPERM, SYS_ptrace, {PTRACE_ATTACH, 0x3fffffff, 0, 0}},
		{"process_vm_readv", EPERM, SYS_process_vm_readv, {0x3fffffff, 0, 0, 0, 0, 0}},
		{"process_vm_writev", EPERM, SYS_process_vm_writev, {0x3fffffff, 0, 0, 0, 0, 0}},
		{"pidfd_getfd", EPERM, SYS_pidfd_getfd, {-1, 0, 0}},
	};
	struct sock_fprog f;
	struct stat st;
	int fd = -1;

	assert_int_equal(filter_open(&o, &fd, NULL), 0);
	assert_int_equal(fstat(fd, &st), 0);
	f.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	f.filter = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(f.filter, MAP_FAILED);
	for (size_t i = 0; i < ELEMENTSOF(probes); i++)
		assert_int_equal(outcome(&f, &probes[i]), EPERM);
	munmap(f.filter, (size_t)st.st_size);
	/* and nobody can change it on its way */
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setuid_files),
		cmocka_unit_test(families),
		cmocka_unit_test(terminals),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(dangerous),
		cmocka_unit_test(needed),
		cmocka_unit_test(without_ptrace),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
