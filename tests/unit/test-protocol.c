/* The keeper's messages: whole or not at all, bounded in time, descriptors never lost. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "lib/sandbox/client.h"
#include "lib/sandbox/spawn.h"
#include "lib/sandbox/wire.h"

static void pair_make(int p[static 2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p), 0);
}

static void messages(void **state)
{
	struct keeper_request q = {.version = KEEPER_VERSION, .op = KEEPER_COUNT}, got = {0};
	int p[2];

	pair_make(p);
	assert_int_equal(wire_send(p[0], &q, sizeof(q), NULL, 0), 0);
	assert_int_equal(wire_receive(p[1], &got, sizeof(got), NULL, NULL, now_ms() + 1000), 0);
	assert_memory_equal(&q, &got, sizeof(q));
	/* too short, too long, none in time, gone */
	assert_int_equal(wire_send(p[0], &q, sizeof(q) - 1, NULL, 0), 0);
	assert_int_equal(wire_receive(p[1], &got, sizeof(got), NULL, NULL, now_ms() + 1000),
		-EBADMSG);
	assert_int_equal(wire_send(p[0], &q, sizeof(q), NULL, 0), 0);
	assert_int_equal(wire_receive(p[1], &got, sizeof(got) - 1, NULL, NULL, now_ms() + 1000),
		-EBADMSG);
	assert_int_equal(wire_receive(p[1], &got, sizeof(got), NULL, NULL, now_ms() + 20),
		-ETIMEDOUT);
	close(p[0]);
	assert_int_equal(wire_receive(p[1], &got, sizeof(got), NULL, NULL, now_ms() + 1000),
		-EPIPE);
	assert_int_equal(wire_send(p[1], &q, sizeof(q), NULL, 0), -EPIPE);
	close(p[1]);
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void descriptors(void **state)
{
	int p[2], before, fds[3], send[3] = {0, 1, 2};
	size_t n = 3;
	char c = 'x';

	pair_make(p);
	before = open_fds();
	assert_int_equal(wire_send(p[0], &c, 1, send, 3), 0);
	assert_int_equal(wire_receive(p[1], &c, 1, fds, &n, now_ms() + 1000), 0);
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		close(fds[i]);
	}
	/* more than asked for: all closed again */
	n = 1;
	assert_int_equal(wire_send(p[0], &c, 1, send, 3), 0);
	assert_int_equal(wire_receive(p[1], &c, 1, fds, &n, now_ms() + 1000), -EBADMSG);
	assert_int_equal(wire_send(p[0], &c, 1, send, 1), 0);
	assert_int_equal(wire_receive(p[1], &c, 1, NULL, NULL, now_ms() + 1000), -EBADMSG);
	assert_int_equal(open_fds(), before);
	assert_int_equal(wire_send(p[0], &c, 1, send, WIRE_FDS + 1), -E2BIG);
	close(p[0]);
	close(p[1]);
}

/* A peer that never reads stops nobody. */
static void stopped_peer(void **state)
{
	struct keeper_reply r = {0};
	int p[2], err = 0;

	pair_make(p);
	for (int i = 0; i < 100000 && err == 0; i++)
		err = wire_send(p[0], &r, sizeof(r), NULL, 0);
	assert_int_equal(err, -EAGAIN);
	close(p[0]);
	close(p[1]);
}

static void calls(void **state)
{
	struct keeper_request q = {.op = KEEPER_COUNT};
	struct keeper_reply r = {.version = KEEPER_VERSION, .status = -EUSERS}, got;
	struct error e = {0};
	int p[2];

	pair_make(p);
	memset(r.text, 'x', sizeof(r.text));
	memcpy(r.text, "no\033more", 7);
	assert_int_equal(wire_send(p[1], &r, sizeof(r), NULL, 0), 0);
	assert_int_equal(keeper_call(p[0], &q, &got, NULL, NULL, 1000, &e), -EUSERS);
	assert_int_equal(strncmp(e.text, "no?more", 7), 0);
	assert_true(strlen(e.text) < sizeof(e.text));
	/* of another version: looked at and ended, not entered */
	r.version++;
	assert_int_equal(wire_send(p[1], &r, sizeof(r), NULL, 0), 0);
	assert_int_equal(keeper_call(p[0], &q, &got, NULL, NULL, 1000, &e), -EUSERS);
	r.status = 0;
	q.op = KEEPER_ENTER;
	assert_int_equal(wire_send(p[1], &r, sizeof(r), NULL, 0), 0);
	assert_int_equal(keeper_call(p[0], &q, &got, NULL, NULL, 1000, &e), -EPROTO);
	assert_int_equal(keeper_call(p[0], &q, &got, NULL, NULL, 20, &e), -ETIMEDOUT);
	close(p[0]);
	close(p[1]);
}

/* What is left of an opening's time counts, not a time of its own for each request. */
static void one_deadline(void **state)
{
	struct sandbox s = SANDBOX_INIT;
	uint64_t begin = now_ms();
	struct error e = {0};
	int p[2];

	pair_make(p);
	s.conn = p[0];
	s.deadline = begin + 50;
	assert_int_equal(sandbox_enter(&s, &e), -ETIMEDOUT);
	assert_true(now_ms() - begin < KEEPER_WAIT_MS / 2);
	close(p[0]);
	close(p[1]);
}

static void names(void **state)
{
	struct error e = {0};
	char path[128];
	int conn = -1;

	assert_int_equal(run_path("app", "/keeper.sock", path, sizeof(path)), 0);
	assert_string_equal(path, CLSECURE_RUNDIR "/app/keeper.sock");
	assert_int_equal(run_path("app", "", path, 4), -ENAMETOOLONG);
	assert_int_equal(keeper_connect("../etc", true, NULL, 100, &conn, &e), -EINVAL);
	assert_int_equal(keeper_connect("", false, NULL, 100, &conn, &e), -EINVAL);
	assert_int_equal(conn, -1);
}

static void overrides(void **state)
{
	char *const list[] = {(char *)"Network=none", (char *)"TmpSize=1M", NULL};
	_cleanup_free_ char *data = NULL;
	size_t size = 0;

	assert_int_equal(overrides_pack(list, &data, &size), 0);
	assert_int_equal(size, 24);
	assert_memory_equal(data, "Network=none\0TmpSize=1M\0", 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(stopped_peer),
		cmocka_unit_test(calls),
		cmocka_unit_test(one_deadline),
		cmocka_unit_test(names),
		cmocka_unit_test(overrides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
