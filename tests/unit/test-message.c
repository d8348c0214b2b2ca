/* The frames between clsecure and clsecured, from friends and from others. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "launcher/clsecured/message.h"

static void pair_open(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void strings(void **state)
{
	_cleanup_message_ struct message m = {0};
	_cleanup_free_ char **list = NULL;
	size_t n = 0;

	assert_int_equal(message_add(&m, "op", "shell"), 0);
	assert_int_equal(message_add(&m, "word", "a=b"), 0);
	assert_int_equal(message_add(&m, "word", ""), 0);
	assert_int_equal(message_addf(&m, "pass-env", "%d", 7), 0);
	assert_int_equal(message_add(&m, "", "x"), -EINVAL);
	assert_int_equal(message_add(&m, "a=", "x"), -EINVAL);
	assert_int_equal(message_add(&m, "A", "x"), -EINVAL);
	assert_true(message_valid(m.data, m.size));
	assert_string_equal(message_get(&m, "op"), "shell");
	assert_string_equal(message_get(&m, "pass-env"), "7");
	assert_null(message_get(&m, "pass"));
	assert_null(message_get(&m, "o"));
	list = message_list(&m, "word", &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0], "a=b");
	assert_string_equal(list[1], "");
	assert_null(list[2]);
}

static void too_much(void **state)
{
	_cleanup_message_ struct message m = {0};
	_cleanup_free_ char *big = malloc(MESSAGE_MAX + 1);

	memset(big, 'x', MESSAGE_MAX);
	big[MESSAGE_MAX] = '\0';
	assert_int_equal(message_add(&m, "word", big), -EMSGSIZE);
	big[MESSAGE_MAX - 6] = '\0';
	assert_int_equal(message_add(&m, "word", big), 0);
	assert_int_equal(m.size, MESSAGE_MAX);
	assert_int_equal(message_add(&m, "a", ""), -EMSGSIZE);
	assert_true(message_valid(m.data, m.size));
}

static void bodies(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		bool valid;
	} table[] = {
		{"op=x", 5, true},
		{"op=x\0w=", 8, true},
		{"op=x", 4, false},
		{"op", 3, false},
		{"=x", 3, false},
		{"", 1, false},
		{"", 0, false},
		{"op=x\0", 6, false},
		{"OP=x", 5, false},
		{"o p=x", 6, false},
		{"abcdefghijklmnopqrstuvwxyzabcdefg=", 35, false},
		{"op=\xff\n", 6, true},
	};

	for (size_t i = 0; i < ELEMENTSOF(table); i++)
		assert_int_equal(message_valid(table[i].data, table[i].size), table[i].valid);
}

static void frames(void **state)
{
	_cleanup_message_ struct message m = {0}, got = {0};
	int pair[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	pair_open(pair);
	message_add(&m, "op", "find");
	m.fds[0] = null;
	m.n_fds = 1;
	assert_int_equal(message_send(pair[0], &m, UINT64_MAX), 0);
	assert_int_equal(message_recv(pair[1], &got, message_now() + 1000), 0);
	assert_string_equal(message_get(&got, "op"), "find");
	assert_int_equal(got.n_fds, 1);
	assert_true(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC);
	close(null);
	close(pair[0]);
	message_done(&got);
	assert_int_equal(message_recv(pair[1], &got, message_now() + 1000), -ENODATA);
	close(pair[1]);
}

static int receive_raw(const void *data, size_t size, bool end)
{
	_cleanup_message_ struct message got = {0};
	int pair[2], err;

	pair_open(pair);
	assert_int_equal(send(pair[0], data, size, 0), size);
	if (end)
		shutdown(pair[0], SHUT_WR);
	err = message_recv(pair[1], &got, message_now() + 30);
	close(pair[0]);
	close(pair[1]);
	return err;
}

static void hostile(void **state)
{
	static const struct {
		uint32_t length;
		char body[16];
		size_t size; /* of the body that is sent */
		bool end;
		int err;
	} table[] = {
		{5, "op=x", 5, true, 0},
		{0, "", 0, true, -EPROTO},
		{5, "op=x", 3, true, -EPROTO},
		{5, "op=x", 3, false, -ETIMEDOUT},
		{5, "", 0, false, -ETIMEDOUT},
		{5, "op x", 5, true, -EPROTO},
		{4, "op=x", 4, true, -EPROTO},
		{MESSAGE_MAX + 1, "op=x", 5, true, -EMSGSIZE},
		{UINT32_MAX, "op=x", 5, true, -EMSGSIZE},
	};

	for (size_t i = 0; i < ELEMENTSOF(table); i++) {
		char data[32];

		memcpy(data, &table[i].length, 4);
		memcpy(data + 4, table[i].body, table[i].size);
		assert_int_equal(receive_raw(data, 4 + table[i].size, table[i].end), table[i].err);
	}
	assert_int_equal(receive_raw("\1\0", 2, true), -EPROTO);
	assert_int_equal(receive_raw("\1\0", 2, false), -ETIMEDOUT);
}

/* Descriptors with the second half of a frame are as bounded as with the first. */
static void descriptors(void **state)
{
	_cleanup_message_ struct message got = {0};
	int pair[2], fds[4], before, after;
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	uint32_t length = 5;
	char body[] = "op=x";
	struct iovec v[2] = {{&length, 4}, {body, 5}};
	struct msghdr h = {.msg_iov = v, .msg_iovlen = 2, .msg_control = &control,
		.msg_controllen = sizeof(control)};

	pair_open(pair);
	for (size_t i = 0; i < 4; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	assert_int_equal(sendmsg(pair[0], &h, 0), 9);
	before = dup(0);
	close(before);
	assert_int_equal(message_recv(pair[1], &got, message_now() + 1000), -EPROTO);
	after = dup(0);
	close(after);
	assert_int_equal(before, after); /* none of them stays open */
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
	close(pair[0]);
	close(pair[1]);
}

/* A frame that comes byte by byte is a frame. */
static void in_pieces(void **state)
{
	_cleanup_message_ struct message got = {0};
	static const char data[] = "\5\0\0\0op=x";
	int pair[2];

	pair_open(pair);
	if (fork() == 0) {
		for (size_t i = 0; i < sizeof(data); i++) {
			send(pair[0], data + i, 1, 0);
			usleep(1000);
		}
		_exit(0);
	}
	assert_int_equal(message_recv(pair[1], &got, message_now() + 5000), 0);
	assert_string_equal(message_get(&got, "op"), "x");
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(too_much),
		cmocka_unit_test(bodies),
		cmocka_unit_test(frames),
		cmocka_unit_test(hostile),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
