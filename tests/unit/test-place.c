/* Where a project may be, its name, and how many connections one uid has. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "launcher/clsecured/peers.h"
#include "launcher/clsecured/place.h"

static void within(void **state)
{
	assert_true(path_within("/a/b", "/a"));
	assert_true(path_within("/a", "/a"));
	assert_true(path_within("/a", "/"));
	assert_false(path_within("/ab", "/a"));
	assert_false(path_within("/a", "/a/b"));
}

static void places(void **state)
{
	static const char *const good[] = {
		"/home/ann/app", "/srv/app", "/tmp/x", "/home/ann/.dotfiles", "/opt/x", "/homes"};
	static const char *const bad[] = {"/", "/home", "/home/ann", "/root", "/tmp",
		"/home/ann/.ssh", "/home/ann/.ssh/x", "/home/ann/.config/x", "/etc/x", "/usr/src/x",
		"/var/www", "/run/x", "/lib/x", "/proc/1", "/dev/shm", "/home/claude-worker-app",
		"/home/claude-worker-app/x"};
	struct error e;

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		assert_int_equal(place_allowed(good[i], "/home/ann", &e), 0);
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		e = (struct error){0};
		assert_int_equal(place_allowed(bad[i], "/home/ann", &e), -EPERM);
		assert_non_null(strstr(e.text, bad[i]));
	}
	assert_int_equal(place_allowed("/srv", "/srv/home/ann", &e), -EPERM);
	assert_int_equal(place_allowed("relative", "/home/ann", &e), -EINVAL);
}

/* sha256sum gives the hexadecimal digits. */
static void slugs(void **state)
{
	static const struct {
		const char *path, *plain, *hashed;
		bool needs_hash;
	} table[] = {
		{"/home/ann/app", "app", "app-c6e4", false},
		{"/home/ann/My App", "my-app", NULL, false},
		{"/x/__a__b__", "a-b", NULL, false},
		{"/x/---", "project", NULL, false},
		{"/x/\xc3\xa9t\xc3\xa9", "t", NULL, false},
		{"/x/12345678901234567", "12345678901234567", NULL, false},
		{"/x/123456789012345678", "12345678901234567", NULL, true},
		{"/x/shell", "shell", NULL, true},
		{"/x/Diff", "diff", NULL, true},
	};
	char slug[SLUG_MAX + 1];

	for (size_t i = 0; i < ELEMENTSOF(table); i++) {
		slug_of_path(table[i].path, SLUG_PLAIN, slug);
		assert_string_equal(slug, table[i].plain);
		assert_int_equal(slug_needs_hash(table[i].path), table[i].needs_hash);
		slug_of_path(table[i].path, SLUG_HASHED, slug);
		assert_true(slug_valid(slug));
		assert_false(slug_reserved(slug));
		if (table[i].hashed)
			assert_string_equal(slug, table[i].hashed);
	}
	slug_of_path("/x/123456789012345678", SLUG_HASHED, slug);
	assert_int_equal(strlen(slug), SLUG_MAX);
	assert_memory_equal(slug, "123456789012-", 13);
}

static void counting(void **state)
{
	static struct peers p;
	pid_t pid = 100;

	for (int i = 0; i < PEER_MAX; i++) {
		assert_true(peers_room(&p, 1000));
		peers_add(&p, 1000, pid++);
	}
	assert_false(peers_room(&p, 1000));
	assert_true(peers_room(&p, 1001));
	assert_true(peers_room(&p, 0));
	peers_remove(&p, 5); /* nobody's */
	assert_false(peers_room(&p, 1000));
	peers_remove(&p, 100);
	assert_true(peers_room(&p, 1000));
	peers_add(&p, 1000, pid++);
	assert_false(peers_room(&p, 1000));
	for (uid_t uid = 2000; peers_room(&p, uid); uid++)
		for (int i = 0; i < PEER_MAX && peers_room(&p, uid); i++)
			peers_add(&p, uid, pid++);
	assert_int_equal(p.others, PEERS_MAX);
	assert_false(peers_room(&p, 3000));
	assert_true(peers_room(&p, 0)); /* strangers never keep root out */
	for (pid_t i = 0; i < pid; i++)
		peers_remove(&p, i);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.others, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(within),
		cmocka_unit_test(places),
		cmocka_unit_test(slugs),
		cmocka_unit_test(counting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
