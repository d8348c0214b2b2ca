/*
 * For attack.bats: what a worker may try against the wall, one line each: "refused NAME: why" or
 * "POSSIBLE NAME". Run in a directory where it may write; it removes what it makes.  The last line
 * is "end". Without the wall, as a plain user, several are possible, which is how the test knows
 * that they are tried.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH 0x100000000UL
#define X32 0x40000000L

static void say(const char *name, long result)
{
	if (result >= 0)
		printf("POSSIBLE %s\n", name);
	else
		printf("refused %s: %s\n", name, strerror(errno));
}

/* A call whose success is itself what must not be. */
struct call {
	const char *name;
	long number;
	long args[6];
};

#define TEXT(s) ((long)(s))

static const struct call calls[] = {
	{"unshare user", SYS_unshare, {CLONE_NEWUSER}},
	{"unshare user, high bits", SYS_unshare, {(long)(CLONE_NEWUSER | HIGH)}},
	{"unshare mount", SYS_unshare, {CLONE_NEWNS}},
	{"clone3", SYS_clone3, {0, 0}},
	{"mount tmpfs", SYS_mount, {TEXT("x"), TEXT("/tmp"), TEXT("tmpfs"), 0, 0}},
	{"remount", SYS_mount, {TEXT("x"), TEXT("/"), 0, 32 /* MS_REMOUNT */, 0}},
	{"umount", SYS_umount2, {TEXT("/proc"), 2}},
	{"umount .git/hooks", SYS_umount2, {TEXT(".git/hooks"), 2}},
	{"pivot_root", SYS_pivot_root, {TEXT("/tmp"), TEXT("/tmp")}},
	{"chroot", SYS_chroot, {TEXT("/tmp")}},
	{"open_tree clone", SYS_open_tree, {AT_FDCWD, TEXT("/"), 1}},
	{"fsopen", SYS_fsopen, {TEXT("tmpfs"), 0}},
	{"fspick", SYS_fspick, {AT_FDCWD, TEXT("/"), 0}},
	{"mount_setattr", SYS_mount_setattr, {AT_FDCWD, TEXT("/"), 0, 0, 0}},
	{"io_uring_setup", SYS_io_uring_setup, {1, 0}},
	{"bpf", SYS_bpf, {0, 0, 0}},
	{"perf_event_open", SYS_perf_event_open, {0, 0, -1, -1, 0}},
	{"userfaultfd", SYS_userfaultfd, {1}},
	{"keyctl session", SYS_keyctl, {1, 0}},
	{"add_key", SYS_add_key, {TEXT("user"), TEXT("a"), TEXT("b"), 1, -3}},
	{"request_key", SYS_request_key, {TEXT("user"), TEXT("a"), 0, -3}},
	{"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, 0, 0}},
	{"fanotify_init", SYS_fanotify_init, {0x200, 0}},
	{"syslog", SYS_syslog, {3, 0, 0}},
	{"modify_ldt", SYS_modify_ldt, {0, 0, 0}},
	{"quotactl", SYS_quotactl, {0, 0, 0, 0}},
	{"swapon", SYS_swapon, {TEXT("/tmp/x"), 0}},
	{"sethostname", SYS_sethostname, {TEXT("x"), 1}},
	{"personality read-implies-exec", SYS_personality, {0x0400000}},
	{"openat2", 437, {AT_FDCWD, TEXT("."), 0, 24}},
	{"x32 getpid", X32 | SYS_getpid, {0}},
	{"x32 unshare", X32 | SYS_unshare, {CLONE_NEWUSER}},
	{"socket VSOCK", SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}},
	{"socket PACKET", SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
	{"socket ALG", SYS_socket, {AF_ALG, SOCK_SEQPACKET, 0}},
	{"socket ALG, high bits", SYS_socket, {(long)(AF_ALG | HIGH), SOCK_SEQPACKET, 0}},
	{"socket KEY", SYS_socket, {AF_KEY, SOCK_RAW, 2}},
	{"socket BLUETOOTH", SYS_socket, {AF_BLUETOOTH, SOCK_RAW, 1}},
	{"socket TIPC", SYS_socket, {AF_TIPC, SOCK_STREAM, 0}},
	{"socket RDS", SYS_socket, {AF_RDS, SOCK_SEQPACKET, 0}},
	{"socket XDP", SYS_socket, {AF_XDP, SOCK_RAW, 0}},
	{"socket QIPCRTR", SYS_socket, {AF_QIPCRTR, SOCK_DGRAM, 0}},
	{"socket raw", SYS_socket, {AF_INET, SOCK_RAW, 1}},
	{"netlink audit", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}},
	{"netlink uevent", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT}},
	{"netlink netfilter", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}},
	{"netlink generic", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC}},
	{"netlink sock_diag", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG}},
	{"netlink connector", SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_CONNECTOR}},
	{"netlink sock_diag, high bits", SYS_socket,
		{AF_NETLINK, SOCK_RAW, (long)(NETLINK_SOCK_DIAG | HIGH)}},
	{"socketpair TIPC", SYS_socketpair, {AF_TIPC, SOCK_STREAM, 0, 0}},
	{"setuid 0", SYS_setuid, {0}},
	{"setgroups", SYS_setgroups, {0, 0}},
	{"ptrace PID 1", SYS_ptrace, {PTRACE_SEIZE, 1, 0, 0}},
	{"kill PID 1", SYS_kill, {1, 0}},
};

static void try_calls(void)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const struct call *c = &calls[i];
		int status = 0;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			errno = 0;
			say(c->name,
				syscall(c->number, c->args[0], c->args[1], c->args[2], c->args[3],
					c->args[4], c->args[5]));
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status))
			printf("refused %s: signal %d\n", c->name, WTERMSIG(status));
	}
}

static void try_clone(void)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} flags[] = {
		{"clone user", CLONE_NEWUSER}, {"clone user, high bits", CLONE_NEWUSER | HIGH},
		{"clone user and mount", CLONE_NEWUSER | CLONE_NEWNS}, {"clone pid", CLONE_NEWPID},
		{"clone net", CLONE_NEWNET},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		long pid;

		fflush(stdout);
		pid = syscall(SYS_clone, flags[i].flag | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			_exit(0);
		say(flags[i].name, pid);
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
	}
}

/* The old way in, from 64-bit code: 20 is getpid, 310 unshare. */
static void try_i386(void)
{
#ifdef __x86_64__
	static const struct {
		const char *name;
		long number, first;
	} old[] = {{"int 0x80 getpid", 20, 0}, {"int 0x80 unshare", 310, CLONE_NEWUSER}};

	for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++) {
		int status = 0;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0) {
			long result = old[i].number;

			__asm__ volatile("int $0x80"
					 : "+a"(result)
					 : "b"(old[i].first)
					 : "memory", "r8", "r9", "r10", "r11");
			errno = (int)(result < 0 ? -result : 0);
			say(old[i].name, result < 0 ? -1 : 0);
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, &status, 0);
		if (WIFSIGNALED(status))
			printf("refused %s: signal %d\n", old[i].name, WTERMSIG(status));
	}
#endif
}

/* What has come to be, whatever the call said. */
static void came(const char *name, const char *path, mode_t bits, mode_t type)
{
	struct stat st;

	if (lstat(path, &st) == 0 &&
		((st.st_mode & bits) || (type && (st.st_mode & S_IFMT) == type)))
		printf("POSSIBLE %s\n", name);
	else
		printf("refused %s: not there\n", name);
	unlink(path);
	rmdir(path);
}

static void fresh(const char *path)
{
	unlink(path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
}

/* A setuid file of the person's by every call that takes a mode. */
static void try_setuid(void)
{
	int fd;

	umask(0);
	fresh("a1");
	syscall(SYS_chmod, "a1", 04755);
	came("chmod 04755", "a1", S_ISUID, 0);
	fresh("a2");
	syscall(SYS_chmod, "a2", 06755 | HIGH);
	came("chmod 06755, high bits", "a2", S_ISUID, 0);
	fresh("a3");
	fd = open("a3", O_RDWR | O_CLOEXEC);
	syscall(SYS_fchmod, fd, 04755);
	close(fd);
	came("fchmod", "a3", S_ISUID, 0);
	fresh("a4");
	syscall(SYS_fchmodat, AT_FDCWD, "a4", 04755);
	came("fchmodat", "a4", S_ISUID, 0);
	fresh("a5");
	syscall(452, AT_FDCWD, "a5", 04755, 0);
	came("fchmodat2", "a5", S_ISUID, 0);
	syscall(SYS_mknod, "a6", S_IFREG | 04755, 0);
	came("mknod", "a6", S_ISUID, 0);
	syscall(SYS_mknodat, AT_FDCWD, "a7", 04755, 0);
	came("mknodat", "a7", S_ISUID, 0);
	close((int)syscall(SYS_creat, "a8", 04755));
	came("creat", "a8", S_ISUID, 0);
	close((int)syscall(SYS_open, "a9", O_CREAT | O_WRONLY, 04755));
	came("open", "a9", S_ISUID, 0);
	close((int)syscall(SYS_openat, AT_FDCWD, "a10", O_CREAT | O_WRONLY | HIGH, 04755 | HIGH));
	came("openat, high bits", "a10", S_ISUID, 0);
	fd = (int)syscall(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 04755);
	if (fd >= 0) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		linkat(AT_FDCWD, path, AT_FDCWD, "a11", AT_SYMLINK_FOLLOW);
		close(fd);
	}
	came("O_TMPFILE", "a11", S_ISUID, 0);
	uint64_t how[3] = {O_CREAT | O_WRONLY, 04755, 0};
	close((int)syscall(437, AT_FDCWD, "a12", how, sizeof(how)));
	came("openat2", "a12", S_ISUID, 0);
	syscall(SYS_mkdir, "a13", 04755);
	came("mkdir", "a13", S_ISUID, 0);
	syscall(SYS_mkdirat, AT_FDCWD, "a14", 04755);
	came("mkdirat", "a14", S_ISUID, 0);
}

static void try_devices(void)
{
	syscall(SYS_mknod, "b1", S_IFCHR | 0666, 0);
	came("mknod whiteout", "b1", 0, S_IFCHR);
	syscall(SYS_mknodat, AT_FDCWD, "b2", (S_IFCHR | 0666) | HIGH, 0);
	came("mknodat whiteout, high bits", "b2", 0, S_IFCHR);
	syscall(SYS_mknod, "b3", S_IFBLK | 0666, 0x800);
	came("mknod of a disk", "b3", 0, S_IFBLK);
	fresh("b4");
	syscall(SYS_renameat2, AT_FDCWD, "b4", AT_FDCWD, "b5", RENAME_WHITEOUT);
	came("rename leaving a whiteout", "b4", 0, S_IFCHR);
	unlink("b5");
	fresh("b6");
	syscall(SYS_renameat2, AT_FDCWD, "b6", AT_FDCWD, "b7", RENAME_WHITEOUT | HIGH);
	came("rename leaving a whiteout, high bits", "b6", 0, S_IFCHR);
	unlink("b7");
}

static void try_files(void)
{
	struct fsxattr attr = {.fsx_xflags = FS_XFLAG_IMMUTABLE};
	int flags = FS_IMMUTABLE_FL, fd;

	fresh("c1");
	fd = open("c1", O_RDWR | O_CLOEXEC);
	say("immutable by FS_IOC_FSSETXATTR", ioctl(fd, FS_IOC_FSSETXATTR, &attr));
	say("immutable by FS_IOC_SETFLAGS", ioctl(fd, FS_IOC_SETFLAGS, &flags));
	say("lease", fcntl(fd, F_SETLEASE, F_WRLCK));
	say("lease, high bits", syscall(SYS_fcntl, fd, F_SETLEASE | HIGH, F_WRLCK));
	attr = (struct fsxattr){.fsx_projid = 7};
	say("project number", ioctl(fd, FS_IOC_FSSETXATTR, &attr) == 0 || errno != EPERM ? 0 : -1);
	close(fd);
	unlink("c1");
}

static void try_terminal(void)
{
	char c = 'x', lines[2] = {2, 0};
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
		puts("POSSIBLE no terminal to try with");
		return;
	}
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	say("TIOCSTI", syscall(SYS_ioctl, slave, TIOCSTI, &c));
	say("TIOCSTI, high bits", syscall(SYS_ioctl, slave, TIOCSTI | HIGH, &c));
	say("TIOCLINUX", syscall(SYS_ioctl, slave, TIOCLINUX, lines));
	say("TIOCLINUX, high bits", syscall(SYS_ioctl, slave, TIOCLINUX | HIGH, lines));
	close(slave);
	close(master);
}

/* What is covered by a file opens as /dev/null, not as what is there. */
static int not_null(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return fd;
	close(fd);
	errno = ENXIO;
	return -1;
}

/* Files of the system that a worker must not open in these ways. */
static void try_paths(void)
{
	static const struct {
		const char *path;
		int flags;
	} paths[] = {
		{"/proc/1/root", O_RDONLY},
		{"/proc/1/cwd", O_RDONLY},
		{"/proc/1/fd", O_RDONLY},
		{"/proc/1/environ", O_RDONLY},
		{"/proc/1/mem", O_RDONLY},
		{"/proc/1/ns/mnt", O_RDONLY},
		{"/proc/sys/kernel/core_pattern", O_WRONLY},
		{"/proc/sys/kernel/hostname", O_WRONLY},
		{"/proc/sys/net/ipv4/ip_forward", O_WRONLY},
		{"/proc/sysrq-trigger", O_WRONLY},
		{"/proc/pressure/cpu", O_RDWR},
		{"/proc/kcore", O_RDONLY},
		{"/proc/1/oom_score_adj", O_WRONLY},
		{"/sys/kernel/uevent_helper", O_WRONLY},
		{"/sys/fs/cgroup/cgroup.procs", O_WRONLY},
		{"/sys/fs/cgroup/memory.max", O_WRONLY},
		{"/dev/mem", O_RDONLY},
		{"/dev/kmsg", O_RDONLY},
		{"/dev/fuse", O_RDWR},
		{"/dev/kvm", O_RDWR},
		{"/dev/net/tun", O_RDWR},
		{"/dev/tty0", O_RDWR},
		{"/dev/vhost-vsock", O_RDWR},
		{"/dev/log", O_WRONLY},
		{"/etc/shadow", O_RDONLY},
		{"/etc/passwd", O_WRONLY},
		{"/etc/ld.so.preload", O_CREAT | O_WRONLY},
		{"/etc/nologin", O_CREAT | O_WRONLY},
		{"/run/utmp", O_WRONLY},
		{"/var/log/wtmp", O_WRONLY},
		{"/run/nologin", O_CREAT | O_WRONLY},
		{"/run/motd.dynamic", O_CREAT | O_WRONLY},
		{"/run/nscd/socket", O_CREAT | O_WRONLY},
		{"/var/lib/clsecure", O_RDONLY},
		{"/run/clsecure/clsecured.sock", O_RDONLY},
		{"/run/systemd", O_RDONLY},
		{"/run/dbus", O_RDONLY},
		{"/home/.x", O_CREAT | O_WRONLY},
		{"/.x", O_CREAT | O_WRONLY},
		{"/usr/.x", O_CREAT | O_WRONLY},
		{"/dev/.x", O_CREAT | O_WRONLY},
		{"/var/.x", O_CREAT | O_WRONLY},
		{"/run/user/.x", O_CREAT | O_WRONLY},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int fd = not_null(open(paths[i].path,
			paths[i].flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644));

		say(paths[i].path, fd);
		if (fd >= 0)
			close(fd);
	}
}

/* Root's processes inside: su, sshd's monitor, what waits for the session. */
static void try_root_processes(void)
{
	for (int pid = 2; pid < 500; pid++) {
		char path[64], name[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%d", pid);
		if (stat(path, &st) < 0 || st.st_uid == getuid())
			continue;
		snprintf(name, sizeof(name), "ptrace of uid %u's process", st.st_uid);
		say(name, ptrace(PTRACE_SEIZE, pid, 0, 0));
		snprintf(name, sizeof(name), "kill of uid %u's process", st.st_uid);
		say(name, kill(pid, SIGTERM));
		snprintf(path, sizeof(path), "/proc/%d/root", pid);
		say(path, open(path, O_RDONLY | O_CLOEXEC));
		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
		say(path, open(path, O_RDONLY | O_CLOEXEC));
	}
}

/* From 3 up nothing is inherited; a directory nowhere, neither on 0-2. */
static void try_descriptors(void)
{
	for (int fd = 0; fd < 1024; fd++) {
		char name[64];
		struct stat st;

		if (fstat(fd, &st) < 0)
			continue;
		snprintf(name, sizeof(name), "descriptor %d of type %o", fd, st.st_mode & S_IFMT);
		if (fd > 2 || S_ISDIR(st.st_mode))
			say(name, 0);
	}
}

int main(void)
{
	try_descriptors();
	try_calls();
	try_clone();
	try_i386();
	try_setuid();
	try_devices();
	try_files();
	try_terminal();
	try_paths();
	try_root_processes();
	puts("end");
	return 0;
}
