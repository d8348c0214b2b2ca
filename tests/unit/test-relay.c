/*
 * clsecure-relay between two ptys: here `screen` is what a person looks at, `outer` the terminal of
 * the host, `shell` the sandbox's end.
 */
#include "config.h"
#include "tests/unit/unit.h"
#include "launcher/clsecure-relay/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>

#define WAIT_MS 5000

struct scene {
	int screen, outer, master, shell, control;
	pid_t relay, caller;
	struct termios before;
};

static void pass(int control, uint32_t op, const int *fds, size_t n)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * RELAY_FDS_MAX)];
		struct cmsghdr align;
	} c = {{0}};
	struct relay_message m = {.op = op};
	struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n > 0) {
		h.msg_control = c.buf;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		CMSG_FIRSTHDR(&h)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&h)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&h)->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), fds, sizeof(int) * n);
	}
	assert_int_equal(sendmsg(control, &h, MSG_NOSIGNAL), sizeof(m));
}

/* The status of the answer; how many descriptors came with it (closed here). */
static int answered(int control, size_t *ret_n)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * RELAY_FDS_MAX)];
		struct cmsghdr align;
	} c = {{0}};
	struct relay_message m;
	struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf,
		.msg_controllen = sizeof(c.buf)};
	struct pollfd p = {.fd = control, .events = POLLIN};
	struct cmsghdr *cm;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_int_equal(recvmsg(control, &h, MSG_CMSG_CLOEXEC), sizeof(m));
	cm = CMSG_FIRSTHDR(&h);
	*ret_n = cm ? (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	for (size_t i = 0; i < *ret_n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
		assert_true(isatty(fd));
		close(fd);
	}
	return m.status;
}

static _Noreturn void exec_relay(const struct scene *s, int theirs, const char *mode)
{
	int from[] = {
		fcntl(s->outer, F_DUPFD, 20), fcntl(theirs, F_DUPFD, 20),
		fcntl((int)syscall(SYS_pidfd_open, s->caller, 0), F_DUPFD, 20),
	};

	for (int i = 0; i < 3; i++)
		dup2(from[i], RELAY_FD_TTY + i);
	close_range(RELAY_FD_CALLER + 1, ~0U, 0);
	execl("./clsecure-relay", "clsecure-relay", mode, (char *)NULL);
	_exit(127);
}

static void open_scene(struct scene *s, const char *mode)
{
	struct winsize size = {.ws_row = 33, .ws_col = 77};
	int pair[2], fds[2];
	size_t n;

	assert_int_equal(openpty(&s->screen, &s->outer, NULL, NULL, &size), 0);
	assert_int_equal(openpty(&s->master, &s->shell, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(s->outer, &s->before), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	s->control = pair[0];
	s->caller = fork();
	if (s->caller == 0) {
		close_range(3, ~0U, 0);
		for (;;)
			pause();
	}
	s->relay = fork();
	if (s->relay == 0)
		exec_relay(s, pair[1], mode);
	close(pair[1]);
	fds[0] = s->master;
	fds[1] = s->outer;
	pass(s->control, RELAY_READY, fds, 2);
	assert_int_equal(answered(s->control, &n), 0);
	close(s->master);
	s->master = -1;
}

static void go(struct scene *s)
{
	size_t n;

	pass(s->control, RELAY_GO, NULL, 0);
	assert_int_equal(answered(s->control, &n), 0);
}

static void close_scene(struct scene *s)
{
	kill(s->caller, SIGKILL);
	waitpid(s->caller, NULL, 0);
	waitpid(s->relay, NULL, 0);
	close(s->screen);
	close(s->outer);
	close(s->shell);
	close(s->control);
}

/* Reads until `want` has come, or fails. */
static void expect_text(int fd, const char *want)
{
	char buf[4096];
	size_t at = 0;

	memset(buf, 0, sizeof(buf));
	while (!strstr(buf, want)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		n = read(fd, buf + at, sizeof(buf) - 1 - at);
		assert_true(n > 0);
		at += (size_t)n;
	}
}

static bool is_raw(int fd)
{
	struct termios t;

	assert_int_equal(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & ICANON);
}

static void wait_raw(int fd, bool want)
{
	for (int i = 0; i < WAIT_MS / 10 && is_raw(fd) != want; i++)
		usleep(10 * 1000);
	assert_int_equal(is_raw(fd), want);
}

static void assert_restored(const struct scene *s)
{
	struct termios now;

	assert_int_equal(tcgetattr(s->outer, &now), 0);
	assert_int_equal(now.c_lflag, s->before.c_lflag);
	assert_int_equal(now.c_iflag, s->before.c_iflag);
	assert_int_equal(now.c_oflag, s->before.c_oflag);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_both_ways(void **state)
{
	struct winsize size;
	struct scene s;
	size_t n;

	open_scene(&s, RELAY_BOTH);
	assert_false(is_raw(s.outer)); /* nothing is touched before GO */
	assert_int_equal(ioctl(s.shell, TIOCGWINSZ, &size), 0);
	assert_int_equal(size.ws_row, 33);
	assert_int_equal(size.ws_col, 77);
	go(&s);
	wait_raw(s.outer, true);
	say(s.screen, "typed\n");
	expect_text(s.shell, "typed\n");
	say(s.shell, "shown\n");
	expect_text(s.screen, "shown\r\n");
	say(s.shell, "last words");
	pass(s.control, RELAY_CLOSE, NULL, 0);
	assert_int_equal(answered(s.control, &n), 0);
	assert_int_equal(n, 1);
	assert_restored(&s);
	expect_text(s.screen, "last words");
	close_scene(&s);
}

/* What was typed too late is nobody's; modes that a program left on are switched off. */
static void test_leftovers(void **state)
{
	struct pollfd p;
	struct scene s;
	size_t n;

	open_scene(&s, RELAY_BOTH);
	go(&s);
	wait_raw(s.outer, true);
	say(s.shell, "\033[?1003h");
	expect_text(s.screen, "\033[?1003h");
	kill(s.relay, SIGSTOP);
	say(s.screen, "rm -rf here\n");
	kill(s.relay, SIGCONT);
	pass(s.control, RELAY_CLOSE, NULL, 0);
	assert_int_equal(answered(s.control, &n), 0);
	expect_text(s.screen, "\033[?1003l");
	p = (struct pollfd){.fd = s.outer, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 50), 0);
	close_scene(&s);
}

static void test_caller_dies(void **state)
{
	struct scene s;

	open_scene(&s, RELAY_BOTH);
	go(&s);
	wait_raw(s.outer, true);
	kill(s.caller, SIGKILL);
	wait_raw(s.outer, false);
	assert_restored(&s);
	close_scene(&s);
}

static void test_relay_dies(void **state)
{
	struct scene s;

	open_scene(&s, RELAY_BOTH);
	go(&s);
	wait_raw(s.outer, true);
	kill(s.relay, SIGKILL);
	wait_raw(s.outer, false);
	assert_restored(&s);
	close_scene(&s);
}

static void test_output_only(void **state)
{
	struct pollfd p;
	struct scene s;
	size_t n;

	open_scene(&s, RELAY_OUTPUT);
	go(&s);
	say(s.shell, "shown\n");
	expect_text(s.screen, "shown\r\n");
	assert_false(is_raw(s.outer));
	say(s.screen, "for the next reader\n");
	p = (struct pollfd){.fd = s.outer, .events = POLLIN};
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	p.fd = s.shell;
	assert_int_equal(poll(&p, 1, 50), 0);
	pass(s.control, RELAY_CLOSE, NULL, 0);
	assert_int_equal(answered(s.control, &n), 0);
	close_scene(&s);
}

/* The caller could not go on: it gets its descriptors back, and nothing was touched. */
static void test_close_before_go(void **state)
{
	struct scene s;
	size_t n;

	open_scene(&s, RELAY_BOTH);
	pass(s.control, RELAY_CLOSE, NULL, 0);
	assert_int_equal(answered(s.control, &n), 0);
	assert_int_equal(n, 1);
	assert_restored(&s);
	close_scene(&s);
}

/* Others write to the terminal too (su - W | tr): their line ends stay the terminal's matter. */
static void test_input_only(void **state)
{
	struct scene s;
	size_t n;

	open_scene(&s, RELAY_INPUT);
	go(&s);
	wait_raw(s.outer, true);
	say(s.outer, "of the next program\n");
	expect_text(s.screen, "of the next program\r\n");
	say(s.screen, "typed\n");
	expect_text(s.shell, "typed\n");
	pass(s.control, RELAY_CLOSE, NULL, 0);
	assert_int_equal(answered(s.control, &n), 0);
	assert_restored(&s);
	close_scene(&s);
}

/* The person's window closes: the sandbox's end is hung up, the relay waits for its caller. */
static void test_hangup(void **state)
{
	struct pollfd p;
	struct scene s;

	open_scene(&s, RELAY_BOTH);
	go(&s);
	wait_raw(s.outer, true);
	close(s.screen);
	s.screen = -1;
	p = (struct pollfd){.fd = s.shell};
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	assert_true(p.revents & POLLHUP);
	close_scene(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways), cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_caller_dies), cmocka_unit_test(test_relay_dies),
		cmocka_unit_test(test_output_only), cmocka_unit_test(test_input_only),
		cmocka_unit_test(test_hangup), cmocka_unit_test(test_close_before_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
