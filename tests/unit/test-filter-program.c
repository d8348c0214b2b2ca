/*
 * The programs of every architecture that the build made, run by an interpreter: what the kernel
 * here does with its own is test-filter's.
 */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/sandbox/filter-program.h"
#include "lib/sandbox/filter.h"

#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE(err) (SECCOMP_RET_ERRNO | (err))
#define HIGH (1ULL << 32)

enum { X86_64, AARCH64, N_ARCHES };

#if defined(__x86_64__)
#define NATIVE X86_64
#elif defined(__aarch64__)
#define NATIVE AARCH64
#endif

static const struct {
	uint32_t arch;
	const struct sock_filter *plain, *ptrace;
	size_t plain_size, ptrace_size;
} arches[N_ARCHES] = {
	{AUDIT_ARCH_X86_64, filter_x86_64, filter_x86_64_ptrace, sizeof(filter_x86_64),
		sizeof(filter_x86_64_ptrace)},
	{AUDIT_ARCH_AARCH64, filter_aarch64, filter_aarch64_ptrace, sizeof(filter_aarch64),
		sizeof(filter_aarch64_ptrace)},
};

static bool jumps(const struct sock_filter *s, uint32_t a)
{
	switch (BPF_OP(s->code)) {
	case BPF_JEQ:
		return a == s->k;
	case BPF_JGT:
		return a > s->k;
	case BPF_JGE:
		return a >= s->k;
	case BPF_JSET:
		return a & s->k;
	}
	fail_msg("jump 0x%x", s->code);
	return false;
}

static uint32_t run(const struct sock_filter *p, size_t size, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t i = 0; i < size / sizeof(*p); i++) {
		const struct sock_filter *s = &p[i];

		if (s->code == (BPF_RET | BPF_K))
			return s->k;
		if (s->code == (BPF_LD | BPF_W | BPF_ABS)) {
			assert_in_range(s->k, 0, sizeof(*data) - sizeof(a));
			memcpy(&a, (const char *)data + s->k, sizeof(a));
		} else if (s->code == (BPF_ALU | BPF_AND | BPF_K)) {
			a &= s->k;
		} else if (s->code == (BPF_JMP | BPF_JA)) {
			i += s->k;
		} else {
			assert_int_equal(s->code & ~0xf0U, BPF_JMP | BPF_K);
			i += jumps(s, a) ? s->jt : s->jf;
		}
	}
	fail_msg("the program has no end");
	return 0;
}

struct call {
	const char *what;
	int numbers[N_ARCHES];
	uint64_t args[4];
	uint32_t expect, without_ptrace; /* 0: the same */
};

static const struct call calls[] = {
	{"read", {0, 63}, {0}, ALLOW},
	{"execve", {59, 221}, {0}, ALLOW},
	{"setresuid", {117, 147}, {0}, ALLOW},
	{"openat", {257, 56}, {0, 0, O_CREAT, 0644}, ALLOW},
	{"openat suid", {257, 56}, {0, 0, O_CREAT, S_ISUID}, REFUSE(EPERM)},
	{"openat tmpfile suid", {257, 56}, {0, 0, 020000000, S_ISUID}, REFUSE(EPERM)},
	{"openat without a mode", {257, 56}, {0, 0, 0, S_ISUID}, ALLOW},
	{"fchmod suid", {91, 52}, {0, S_ISUID | HIGH}, REFUSE(EPERM)},
	{"fchmodat suid", {268, 53}, {0, 0, S_ISUID}, REFUSE(EPERM)},
	{"fchmodat2", {452, 452}, {0, 0, 0755}, ALLOW},
	{"fchmodat2 suid", {452, 452}, {0, 0, S_ISUID | 0755}, REFUSE(EPERM)},
	{"fchmodat2 suid, high half", {452, 452}, {0, 0, S_ISUID | HIGH}, REFUSE(EPERM)},
	{"mknodat device", {259, 33}, {0, 0, S_IFCHR}, REFUSE(EPERM)},
	{"process_mrelease", {448, 448}, {0}, ALLOW},
	{"mseal", {462, 462}, {0}, ALLOW},
	{"removexattrat", {466, 466}, {0}, ALLOW},
	{"statmount", {457, 457}, {0}, REFUSE(ENOSYS)},
	{"openat2", {437, 437}, {0}, REFUSE(ENOSYS)},
	{"clone3", {435, 435}, {0}, REFUSE(ENOSYS)},
	{"io_uring_setup", {425, 425}, {0}, REFUSE(ENOSYS)},
	{"unknown", {1023, 1023}, {0}, REFUSE(ENOSYS)},
	{"clone", {56, 220}, {SIGCHLD}, ALLOW},
	{"clone user", {56, 220}, {CLONE_NEWUSER | SIGCHLD}, REFUSE(EPERM)},
	{"unshare", {272, 97}, {0}, REFUSE(EPERM)},
	{"setns", {308, 268}, {0}, REFUSE(EPERM)},
	{"mount", {165, 40}, {0}, REFUSE(EPERM)},
	{"keyctl", {250, 219}, {0}, REFUSE(EPERM)},
	{"bpf", {321, 280}, {0}, REFUSE(EPERM)},
	{"ioctl", {16, 29}, {0, TIOCGWINSZ}, ALLOW},
	{"ioctl TIOCSTI", {16, 29}, {0, TIOCSTI | HIGH}, REFUSE(EPERM)},
	{"ioctl FSSETXATTR", {16, 29}, {0, FS_IOC_FSSETXATTR}, REFUSE(EPERM)},
	{"fcntl F_SETLEASE", {72, 25}, {0, F_SETLEASE}, REFUSE(EPERM)},
	{"socket unix", {41, 198}, {AF_UNIX}, ALLOW},
	{"socket alg", {41, 198}, {AF_ALG}, REFUSE(EAFNOSUPPORT)},
	{"socket unix, high half", {41, 198}, {AF_UNIX | HIGH}, REFUSE(EAFNOSUPPORT)},
	{"netlink audit", {41, 198}, {AF_NETLINK, 0, 9}, REFUSE(EPROTONOSUPPORT)},
	{"prlimit64 core", {302, 261}, {0, RLIMIT_CORE, 1}, REFUSE(0)},
	{"prlimit64 files", {302, 261}, {0, RLIMIT_NOFILE, 1}, ALLOW},
	{"personality", {135, 92}, {0xffffffff}, ALLOW},
	{"personality, execute all", {135, 92}, {0x0400000}, REFUSE(ENOSYS)},
	{"ptrace", {101, 117}, {0}, ALLOW, REFUSE(EPERM)},
	{"process_vm_readv", {310, 270}, {0}, ALLOW, REFUSE(EPERM)},
	{"pidfd_getfd", {438, 438}, {0}, ALLOW, REFUSE(EPERM)},
};

static void check(const char *what, uint32_t got, uint32_t expect)
{
	if (got != expect)
		fail_msg("%s: 0x%x, not 0x%x", what, got, expect);
}

static void every_architecture(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(calls); i++)
		for (size_t a = 0; a < N_ARCHES; a++) {
			const struct call *c = &calls[i];
			struct seccomp_data data = {
				.nr = c->numbers[a], .arch = arches[a].arch};

			memcpy(data.args, c->args, sizeof(c->args));
			check(c->what, run(arches[a].ptrace, arches[a].ptrace_size, &data),
				c->expect);
			check(c->what, run(arches[a].plain, arches[a].plain_size, &data),
				c->without_ptrace ?: c->expect);
		}
}

static void check_none(const char *what, size_t a, uint32_t arch, int nr)
{
	struct seccomp_data data = {.nr = nr, .arch = arch};

	check(what, run(arches[a].ptrace, arches[a].ptrace_size, &data), REFUSE(ENOSYS));
	check(what, run(arches[a].plain, arches[a].plain_size, &data), REFUSE(ENOSYS));
}

/* Whatever the number: another architecture's calls, and x32, are none. */
static void native_alone(void **state)
{
	for (int nr = 0; nr < 1024; nr++)
		for (size_t a = 0; a < N_ARCHES; a++) {
			check_none("foreign", a, arches[!a].arch, nr);
			check_none("x32", a, arches[a].arch, 0x40000000 + nr);
		}
}

/* What a session gets is what was made for this architecture. */
static void handed_out(void **state)
{
	for (int ptrace = 0; ptrace < 2; ptrace++) {
		const void *made = ptrace ? arches[NATIVE].ptrace : arches[NATIVE].plain;
		size_t size = ptrace ? arches[NATIVE].ptrace_size : arches[NATIVE].plain_size;
		struct filter_options o = {.allow_ptrace = ptrace};
		struct sock_filter program[BPF_MAXINSNS];
		struct error e = {0};
		int fd = -1;

		assert_int_equal(filter_open(&o, &fd, &e), 0);
		assert_int_equal(pread(fd, program, sizeof(program), 0), size);
		assert_memory_equal(program, made, size);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_architecture),
		cmocka_unit_test(native_alone),
		cmocka_unit_test(handed_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
