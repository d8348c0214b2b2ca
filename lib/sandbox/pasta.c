#include "config.h"
#include "lib/sandbox/pasta.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/resolver.h"
#include "lib/sandbox/wire.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define KEEPER CLSECURE_LIBEXECDIR "/clsecure-keeper"
#define READY_MS 3000
#define TUN "/dev/net/tun"

static const char *const places[] = {"/usr/bin/pasta", "/usr/local/bin/pasta", "/bin/pasta"};

static const char *pasta_path(void)
{
	for (size_t i = 0; i < ELEMENTSOF(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

int pasta_available(struct error *e)
{
	struct stat st;

	if (!pasta_path())
		return error_set(e, -ENOENT,
			"Network=full needs pasta: install it (Debian: apt install passt), or set "
			"Network=none");
	if (stat(TUN, &st) < 0 || !S_ISCHR(st.st_mode) || (st.st_mode & 06) != 06)
		return error_set(e, -ENODEV,
			"Network=full needs " TUN
			" open to all users: modprobe tun; chmod 0666 " TUN);
	return 0;
}

/* Keeper's side */

static _Noreturn void exec_guard(int control, bool forward)
{
	char *const argv[] = {(char *)"clsecure-keeper", (char *)"--network",
		(char *)(forward ? "forward" : "direct"), NULL};
	char *const envp[] = {NULL};
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || dup2(control, 0) < 0)
		_exit(1);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (setgroups(0, NULL) < 0 || setresgid(PASTA_UID, PASTA_UID, PASTA_UID) < 0 ||
		setresuid(PASTA_UID, PASTA_UID, PASTA_UID) < 0 || setuid(0) == 0)
		_exit(1);
	/* One that never comes to look at its control ends with the keeper all the same. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		_exit(1);
	execve(KEEPER, argv, envp);
	_exit(1);
}

static int netns_open(pid_t guard, int *ret_netns)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)guard);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_netns = fd;
	return 0;
}

int pasta_start(bool forward, unsigned timeout_ms, int *ret_control, int *ret_netns,
	struct error *e)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int pair[2], err = pasta_available(e), said = 0;
	pid_t guard;

	if (err < 0)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_errno(e, -errno, "cannot start the network");
	ours = pair[0];
	theirs = pair[1];
	/* PID 1 of a namespace: pasta cannot outlive it, whoever kills it. */
	guard = fault("pasta") < 0 ? (errno = EIO, -1)
				   : (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (guard < 0)
		return error_errno(e, -errno, "cannot start the network");
	if (guard == 0)
		exec_guard(theirs, forward);
	closep(&theirs);
	theirs = -1;
	err = wire_receive(ours, &said, sizeof(said), NULL, NULL, now_ms() + timeout_ms);
	if (err == 0)
		err = said < 0 ? said : netns_open(guard, ret_netns);
	if (err == -ECHILD)
		return error_set(e, -ENETUNREACH,
			"Network=full, and pasta ended at once: has the host a "
			"default route?  Network=none needs none");
	if (err < 0)
		return error_errno(e, err, "pasta did not bring the network up");
	*ret_control = TAKE_FD(ours);
	return 0;
}

/* The guard */

/* guard: its directory in /proc, which is the host's and has other numbers than getpid() here. */
static _Noreturn void exec_pasta(int go, const char *guard, bool forward)
{
	char user[64], net[64], c;
	const char *path = pasta_path();
	const char *const argv[] = {"pasta", "-f", "-q", "--config-net", "--no-map-gw", "-t",
		"none", "-u", "none", "-T", "none", "-U", "none", "--userns", user, "--netns", net,
		forward ? "--dns-forward" : NULL, PASTA_DNS, NULL};
	char *const envp[] = {NULL};

	snprintf(user, sizeof(user), "/proc/%s/ns/user", guard);
	snprintf(net, sizeof(net), "/proc/%s/ns/net", guard);
	/* The namespaces are there when the guard writes. */
	if (!path || read(go, &c, 1) != 1)
		_exit(1);
	signal(SIGPIPE, SIG_DFL); /* the keeper ignores it; pasta takes that for a failure */
	dup2(1, 0);
	close_range(3, ~0U, 0);
	execve(path, (char *const *)argv, envp);
	_exit(1);
}

static int write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int namespaces_make(void)
{
	char map[32];

	/* New capabilities took the files of /proc/self away, which pasta opens and this writes. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1\n", PASTA_UID);
	return write_text("/proc/self/setgroups", "deny")
		?: write_text("/proc/self/uid_map", map) ?:
		write_text("/proc/self/gid_map", map);
}

/* A second line in the table of routes: pasta has given the namespace an address and a way out. */
static bool has_route(void)
{
	static const char *const tables[] = {"/proc/self/net/route", "/proc/self/net/ipv6_route"};

	for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
		_cleanup_fclose_ FILE *f = fopen(tables[i], "re");
		char line[512];

		while (f && fgets(line, sizeof(line), f))
			if (!strstr(line, " lo\n") && !strstr(line, "Iface") &&
				strncmp(line, "lo\t", 3) != 0)
				return true;
	}
	return false;
}

static int wait_for_route(pid_t pasta)
{
	const struct timespec step = {.tv_nsec = 5000000};
	uint64_t deadline = now_ms() + READY_MS;

	while (now_ms() < deadline) {
		if (waitpid(pasta, NULL, WNOHANG) != 0)
			return -ECHILD;
		if (has_route())
			return 0;
		nanosleep(&step, NULL);
	}
	return -ETIMEDOUT;
}

/* It holds the sandbox's network: it is gone before the guard is. */
static void end_pasta(pid_t pasta)
{
	const struct timespec step = {.tv_nsec = 5000000};
	uint64_t deadline = now_ms() + READY_MS;

	do {
		kill(pasta, SIGKILL);
		if (waitpid(pasta, NULL, WNOHANG) != 0)
			return;
		nanosleep(&step, NULL);
	} while (now_ms() < deadline);
}

_Noreturn void pasta_guard(bool forward)
{
	const struct timespec pause = {.tv_nsec = 100000000};
	struct pollfd p = {.fd = 0, .events = POLLIN};
	char self[16] = "";
	int go[2], said;
	pid_t pasta;

	signal(SIGCHLD, SIG_DFL);
	if (geteuid() != PASTA_UID || pipe2(go, O_CLOEXEC) < 0 ||
		readlink("/proc/self", self, sizeof(self) - 1) < 0)
		_exit(1);
	pasta = fork();
	if (pasta == 0)
		exec_pasta(go[0], self, forward);
	said = pasta < 0 ? -errno : namespaces_make();
	if (said == 0 && write(go[1], "g", 1) != 1)
		said = -EIO;
	if (said == 0)
		said = wait_for_route(pasta);
	/* The keeper's end closing is all that is waited for. */
	if (wire_send(0, &said, sizeof(said), NULL, 0) == 0 && said == 0)
		while (poll(&p, 1, -1) < 0)
			nanosleep(&pause, NULL);
	if (pasta > 0)
		end_pasta(pasta);
	_exit(0);
}
