/* The registry's writer, on a directory of the test's own and with users that the test makes up. */
#include "config.h"
#include "tests/unit/host-users.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/base/registry.h"

#define OWNER 1000
#define OTHER 1001

static int setup(void **state)
{
	char *dir = scratch_make();

	memset(&host, 0, sizeof(host));
	assert_int_equal(registry_init(dir, NULL), 0);
	*state = dir;
	return 0;
}

static int teardown(void **state)
{
	scratch_remove(*state);
	return 0;
}

static int add(const char *dir, const char *slug, uid_t owner, const char *path, uid_t *ret_uid)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
	struct record record = {0};
	int err;

	assert_int_equal(registry_lock(dir, &r, NULL), 0);
	err = registry_add(&r, slug, owner, path, &record, NULL);
	if (err == 0 && ret_uid)
		*ret_uid = record.uid;
	return err;
}

static int drop(const char *dir, const char *slug, uid_t owner, const char *path)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;

	assert_int_equal(registry_lock(dir, &r, NULL), 0);
	return registry_remove(&r, slug, owner, path, NULL);
}

/* The uid that readers see for the slug, or 0. */
static uid_t seen(const char *dir, const char *slug)
{
	char root[256], name[WORKER_NAME_MAX + 1];
	struct record r = {0};

	snprintf(root, sizeof(root), "%s/registry", dir);
	worker_name(slug, name);
	return record_by_name(root, name, &r) == 0 ? r.uid : 0;
}

static char *below(const char *dir, const char *format, ...) _printf_(2, 3);
static char *below(const char *dir, const char *format, ...)
{
	static char path[512];
	int n = snprintf(path, sizeof(path), "%s/", dir);
	va_list ap;

	va_start(ap, format);
	vsnprintf(path + n, sizeof(path) - (size_t)n, format, ap);
	va_end(ap);
	return path;
}

static void directories(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {{"registry", 0755}, {"registry/name", 0755}, {"registry/uid", 0755},
		{"registry/map", 0755}, {"projects", 0700}, {"tombstones", 0700}};
	char *dir = *state;
	mode_t mask;

	chmod(below(dir, "registry"), 0700);
	chmod(below(dir, "projects"), 0777);
	mask = umask(0077);
	assert_int_equal(registry_init(dir, NULL), 0);
	umask(mask);
	for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
		struct stat st;

		assert_int_equal(stat(below(dir, "%s", dirs[i].name), &st), 0);
		assert_int_equal(st.st_mode & 07777, dirs[i].mode);
	}
	unlink(below(dir, "registry/map/0"));
	rmdir(below(dir, "tombstones"));
	assert_int_equal(symlink("/tmp", below(dir, "tombstones")), 0);
	assert_true(registry_init(dir, NULL) < 0);
}

static void arming(void **state)
{
	char *dir = *state;

	assert_int_equal(registry_armed(dir), 0);
	assert_int_equal(registry_disarm(dir, NULL), 0);
	assert_int_equal(registry_arm(dir, NULL), 0);
	assert_int_equal(registry_arm(dir, NULL), 0);
	assert_int_equal(registry_armed(dir), 1);
	assert_int_equal(registry_disarm(dir, NULL), 0);
	assert_int_equal(registry_armed(dir), 0);
	assert_int_equal(mkfifo(below(dir, "armed"), 0600), 0);
	assert_int_equal(registry_armed(dir), 0);
	assert_int_equal(registry_arm(dir, NULL), 0);
	assert_int_equal(registry_armed(dir), 1);
	assert_int_equal(registry_disarm("/nowhere/at/all", NULL), 0);
	assert_true(registry_arm("/nowhere/at/all", NULL) < 0);
}

static void add_and_remove(void **state)
{
	char *dir = *state;
	uid_t uid = 0, again = 0;

	assert_int_equal(add(dir, "app", OWNER, "/home/p/app", &uid), 0);
	assert_in_range(uid, CLSECURE_UID_FIRST, CLSECURE_UID_LAST);
	assert_int_equal(seen(dir, "app"), uid);
	assert_int_equal(add(dir, "app", OWNER, "/home/p/app", NULL), -EEXIST);
	assert_int_equal(drop(dir, "app", OWNER, "/home/p/app"), 0);
	assert_int_equal(seen(dir, "app"), 0);
	assert_int_equal(drop(dir, "app", OWNER, "/home/p/app"), -ENOENT);

	/* Another person, or another path, gets another uid; whose it was gets it back. */
	assert_int_equal(add(dir, "app", OTHER, "/home/p/app", &again), 0);
	assert_int_not_equal(uid, again);
	assert_int_equal(drop(dir, "app", OTHER, "/home/p/app"), 0);
	assert_int_equal(add(dir, "app", OWNER, "/home/p/app2", &again), 0);
	assert_int_not_equal(uid, again);
	assert_int_equal(add(dir, "renamed", OWNER, "/home/p/app", &again), 0);
	assert_int_equal(uid, again);
}

/*
 * One who adds and removes without end gets the own uids again, the oldest first, and nobody
 * else's.
 */
static void range_not_used_up(void **state)
{
	uid_t mine[REGISTRY_GIVEN_BACK], other = 0, uid = 0;
	char *dir = *state, slug[SLUG_MAX + 1], path[64];

	assert_int_equal(add(dir, "other", OTHER, "/home/o/x", &other), 0);
	assert_int_equal(drop(dir, "other", OTHER, "/home/o/x"), 0);
	for (int i = 0; i < REGISTRY_GIVEN_BACK; i++) {
		snprintf(slug, sizeof(slug), "n%d", i);
		snprintf(path, sizeof(path), "/home/p/%d", i);
		assert_int_equal(add(dir, slug, OWNER, path, &mine[i]), 0);
		for (int k = 0; k < i; k++)
			assert_int_not_equal(mine[i], mine[k]);
		assert_int_equal(drop(dir, slug, OWNER, path), 0);
	}
	for (int i = 0; i < 3 * REGISTRY_GIVEN_BACK; i++) {
		bool known = false;

		snprintf(path, sizeof(path), "/home/p/more/%d", i);
		assert_int_equal(add(dir, "more", OWNER, path, &uid), 0);
		for (int k = 0; k < REGISTRY_GIVEN_BACK; k++)
			known |= uid == mine[k];
		assert_true(known);
		assert_int_not_equal(uid, other);
		assert_int_equal(drop(dir, "more", OWNER, path), 0);
	}
	/* Another person is not given them. */
	assert_int_equal(add(dir, "n0", OTHER, "/home/p/0", &uid), 0);
	for (int k = 0; k < REGISTRY_GIVEN_BACK; k++)
		assert_int_not_equal(uid, mine[k]);
}

static void requests(void **state)
{
	char *dir = *state, path[5000];

	assert_int_equal(add(dir, "", OWNER, "/x", NULL), -EINVAL);
	assert_int_equal(add(dir, "../x", OWNER, "/x", NULL), -EINVAL);
	assert_int_equal(add(dir, "shell", OWNER, "/x", NULL), -EINVAL);
	assert_int_equal(add(dir, "app", OWNER, "x", NULL), -EINVAL);
	assert_int_equal(add(dir, "app", CLSECURE_UID_FIRST, "/x", NULL), -EINVAL);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(add(dir, "app", OWNER, path, NULL), -ENAMETOOLONG);
	path[4000] = '\0';
	assert_int_equal(add(dir, "app", OWNER, path, NULL), 0);
	assert_int_equal(drop(dir, "app", OWNER, path), 0);
	assert_int_equal(drop(dir, "..", OWNER, "/x"), -EINVAL);
}

static void other_sources(void **state)
{
	char *dir = *state;
	uid_t uid = 0, next = 0;

	assert_int_equal(add(dir, "app", OWNER, "/x", &uid), 0);
	assert_int_equal(drop(dir, "app", OWNER, "/x"), 0);
	host.first = uid;
	host.last = uid + 9;
	assert_int_equal(add(dir, "app", OWNER, "/x", &next), 0);
	assert_int_equal(next, uid + 10);
	host.name = "claude-worker-taken";
	assert_int_equal(add(dir, "taken", OWNER, "/x", NULL), -EEXIST);
	host.first = CLSECURE_UID_FIRST;
	host.last = CLSECURE_UID_LAST;
	assert_int_equal(add(dir, "full", OWNER, "/x", NULL), -ENOSPC);
	host.error = EIO;
	assert_int_equal(add(dir, "x", OWNER, "/x", NULL), -EIO);
	host.error = ERANGE;
	assert_int_equal(add(dir, "x", OWNER, "/x", NULL), -EEXIST);
}

static void identities_taken(void **state)
{
	char *dir = scratch_make();
	struct error e = {0};

	host.name = GATEWAY_NAME;
	assert_int_equal(registry_init(dir, &e), -EEXIST);
	assert_non_null(strstr(e.text, "claude"));
	host.name = NULL;
	host.first = host.last = PERSON_GID;
	assert_int_equal(registry_init(dir, NULL), -EEXIST);
	host.first = host.last = PASTA_UID;
	assert_int_equal(registry_init(dir, NULL), -EEXIST);
	host.first = host.last = 0;
	assert_int_equal(registry_init(dir, NULL), 0);
	/* Ours from now on, whatever NSS, which is us, says. */
	host.name = GATEWAY_NAME;
	assert_int_equal(registry_init(dir, NULL), 0);
	scratch_remove(dir);
}

static int count(const struct record *record, void *userdata)
{
	unsigned *n = userdata;

	n[identity_of(record->name) == IDENTITY_WORKER]++;
	return n[1] >= 50 ? 7 : 0;
}

static void foreach(void **state)
{
	char *dir = *state, slug[SLUG_MAX + 1], half[RECORD_MAX];
	unsigned n[2] = {0};

	for (int i = 0; i < 20; i++) {
		snprintf(slug, sizeof(slug), "p%d", i);
		assert_int_equal(add(dir, slug, OWNER, "/x", NULL), 0);
	}
	snprintf(half, sizeof(half), "1:claude-worker-q:%u", CLSECURE_UID_FIRST + 1);
	assert_int_equal(symlink(half, below(dir, "registry/name/claude-worker-q")), 0);
	assert_int_equal(mkfifo(below(dir, "registry/name/claude-worker-f"), 0644), 0);
	assert_int_equal(registry_foreach(dir, count, n), 0);
	assert_int_equal(n[0], 3);
	assert_int_equal(n[1], 20);
	n[1] = 49;
	assert_int_equal(registry_foreach(dir, count, n), 7);
	assert_int_equal(registry_foreach("/nowhere/at/all", count, n), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(directories, setup, teardown),
		cmocka_unit_test_setup_teardown(arming, setup, teardown),
		cmocka_unit_test_setup_teardown(add_and_remove, setup, teardown),
		cmocka_unit_test_setup_teardown(range_not_used_up, setup, teardown),
		cmocka_unit_test_setup_teardown(requests, setup, teardown),
		cmocka_unit_test_setup_teardown(other_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(identities_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(foreach, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
