/* What clsecure-egress can do once it is confined, and what it cannot: each in a process of its own. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "launcher/clsecure-egress/egress.h"

#define KILLED 1000 /* by the filter */
#define UNCONFINED 2000

struct egress egress;

/* What `probe` returns in a confined process: 0, errno, or KILLED. */
static int outcome(int (*probe)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct error e = {0};

		if (confine(&e) < 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(255);
		}
		syscall(SYS_exit_group, probe());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -1;
	return WEXITSTATUS(status) == 255 ? UNCONFINED : WEXITSTATUS(status);
}

static int result(long r)
{
	return r < 0 ? errno : 0;
}

static int read_passwd(void)
{
	return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int read_proc(void)
{
	return result(open("/proc/self/status", O_RDONLY | O_CLOEXEC));
}

static int read_tmp(void)
{
	return result(open("/tmp", O_RDONLY | O_CLOEXEC));
}

static int write_file(void)
{
	return result(open("/tmp/x", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int append_file(void)
{
	return result(open("/etc/passwd", O_RDWR | O_CLOEXEC));
}

static int tcp(void)
{
	return result(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static int udp(void)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int unix_socket(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int netlink(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int raw(void)
{
	return result(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int sctp(void)
{
	return result(socket(AF_INET, SOCK_SEQPACKET, 0));
}

static int mptcp(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 262));
}

static int bind_port(void)
{
	return result(syscall(SYS_bind, 0, NULL, 0));
}

static int a_fork(void)
{
	return result(fork());
}

static void *nothing(void *arg)
{
	return arg;
}

static int a_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) ?: pthread_join(t, NULL);
}

static int resolve(void)
{
	struct addrinfo *list = NULL;

	/* whoever builds may have no resolver, and is told so */
	return getaddrinfo("localhost", NULL, NULL, &list) == EAI_SYSTEM ? errno : 0;
}

static int code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int limits(void)
{
	struct rlimit r;

	return result(getrlimit(RLIMIT_NOFILE, &r));
}

static int set_limits(void)
{
	return result(setrlimit(RLIMIT_NOFILE, &(struct rlimit){10, 10}));
}

static int run(void)
{
	char *const argv[] = {(char *)"true", NULL};

	return result(execve("/bin/true", argv, argv + 1));
}

static int trace(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int send_signal(void)
{
	return result(kill(getpid(), 0));
}

static int get_fd(void)
{
	return result(syscall(SYS_pidfd_open, 1, 0));
}

static int read_memory(void)
{
	return result(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
}

struct probe {
	const char *what;
	int (*probe)(void);
	int expect;
};

static const struct probe by_filter[] = {
	{"read /etc/passwd", read_passwd, 0},
	{"TCP", tcp, 0},
	{"UDP", udp, 0},
	{"a thread", a_thread, 0},
	{"getaddrinfo", resolve, 0},
	{"read limits", limits, 0},
	{"make a file", write_file, EACCES},
	{"open a file to write", append_file, EACCES},
	{"AF_UNIX", unix_socket, EAFNOSUPPORT},
	{"AF_NETLINK", netlink, EAFNOSUPPORT},
	{"SOCK_RAW", raw, EAFNOSUPPORT},
	{"SCTP", sctp, EAFNOSUPPORT},
	{"MPTCP", mptcp, EAFNOSUPPORT},
	{"bind", bind_port, ENOSYS},
	{"fork", a_fork, EPERM},
	{"code in memory", code, EPERM},
	{"memory that becomes code", memory, EPERM},
	{"set limits", set_limits, KILLED},
	{"execve", run, KILLED},
	{"ptrace", trace, KILLED},
	{"kill", send_signal, KILLED},
	{"pidfd_open", get_fd, KILLED},
	{"process_vm_readv", read_memory, KILLED},
};

static void filter(void **state)
{
	if (geteuid() == 0)
		skip();
	/* a sanitizer's build has none */
	for (size_t i = 0; !SANITIZED && i < ELEMENTSOF(by_filter); i++) {
		int got = outcome(by_filter[i].probe);

		if (got != by_filter[i].expect)
			fail_msg("%s: %d, not %d", by_filter[i].what, got, by_filter[i].expect);
	}
}

static void files(void **state)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (geteuid() == 0 || abi < 1)
		skip();
	assert_int_equal(outcome(read_passwd), 0);
	assert_int_equal(outcome(read_proc), EACCES);
	assert_int_equal(outcome(read_tmp), EACCES);
}

/* It does not run with what root can do. */
static void root(void **state)
{
	struct error e = {0};

	if (geteuid() != 0)
		skip();
	assert_int_equal(confine(&e), -EPERM);
	assert_non_null(strstr(e.text, "never as root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filter),
		cmocka_unit_test(files),
		cmocka_unit_test(root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
