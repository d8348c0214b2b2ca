/*
 * A writer that is killed at each of its steps, and one whose steps fail one by one: readers see
 * the registry as before or as after, nobody else's record changes, and the next writer goes on as
 * if nothing had happened.
 */
#include "config.h"
#include "tests/unit/host-users.h"
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "lib/base/registry.h"

#define OWNER 1000
#define OTHER 1001
#define KILLED 99

/* The step at which it happens, 0: never; with `fail` the step fails instead. */
static int steps_left, fail;

/* All calls of the writer that change a file system. */
int __real_symlinkat(const char *target, int dir, const char *path);
int __wrap_symlinkat(const char *target, int dir, const char *path);
int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);
int __real_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __real_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode);
int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __wrap_write(int fd, const void *buf, size_t n);

static bool step_fails(void)
{
	if (steps_left == 0 || --steps_left > 0)
		return false;
	if (!fail)
		_exit(KILLED);
	errno = fail;
	return true;
}

int __wrap_symlinkat(const char *target, int dir, const char *path)
{
	return step_fails() ? -1 : __real_symlinkat(target, dir, path);
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	return step_fails() ? -1 : __real_renameat(from, old, to, new);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
	return step_fails() ? -1 : __real_unlinkat(dir, path, flags);
}

int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	return step_fails() ? -1 : __real_mkdirat(dir, path, mode);
}

int __wrap_fchmod(int fd, mode_t mode)
{
	return step_fails() ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
	return step_fails() ? -1 : __real_fsync(fd);
}

/* Half of it first: a record that is cut must not count. */
ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	if (steps_left == 1 && n > 1)
		__real_write(fd, buf, n / 2);
	return step_fails() ? -1 : __real_write(fd, buf, n);
}

static char *dir;
static uid_t app_uid, bystander;

static int locked(bool adding, const char *slug, uid_t owner, uid_t *ret_uid)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
	struct record record = {0};
	int err;

	err = registry_lock(dir, &r, NULL);
	if (err < 0)
		return err;
	if (!adding)
		return registry_remove(&r, slug, owner, "/app", NULL);
	err = registry_add(&r, slug, owner, "/app", &record, NULL);
	if (err == 0 && ret_uid)
		*ret_uid = record.uid;
	return err;
}

static uid_t seen(const char *slug)
{
	char root[256], name[WORKER_NAME_MAX + 1];
	struct record r = {0}, other = {0};
	int err;

	snprintf(root, sizeof(root), "%s/registry", dir);
	worker_name(slug, name);
	err = record_by_name(root, name, &r);
	if (err < 0) {
		assert_int_equal(err, -ENOENT);
		return 0;
	}
	assert_int_equal(record_by_uid(root, r.uid, &other), 0);
	assert_string_equal(other.name, name);
	return r.uid;
}

static unsigned entries(const char *below)
{
	char path[256];
	unsigned n = 0;
	struct dirent *d;
	DIR *stream;

	snprintf(path, sizeof(path), "%s/%s", dir, below);
	stream = opendir(path);
	assert_non_null(stream);
	while ((d = readdir(stream)))
		n += d->d_name[0] != '.';
	closedir(stream);
	return n;
}

static unsigned enumerated(void)
{
	struct record r = {0};
	char root[256];
	unsigned n = 0;
	uid_t last = 0;

	snprintf(root, sizeof(root), "%s/registry", dir);
	for (; record_next(root, last, &r) == 0; last = r.uid)
		n++;
	return n;
}

enum act { ADD, ADD_AGAIN, REMOVE, INIT };

/* Each act begins on a registry like this. */
static void prepare(enum act act)
{
	steps_left = 0;
	dir = scratch_make();
	if (act == INIT)
		return;
	assert_int_equal(registry_init(dir, NULL), 0);
	assert_int_equal(locked(true, "bystander", OWNER, &bystander), 0);
	app_uid = 0;
	if (act != ADD)
		assert_int_equal(locked(true, "app", OWNER, &app_uid), 0);
	if (act == ADD_AGAIN)
		assert_int_equal(locked(false, "app", OWNER, NULL), 0);
}

static int perform(enum act act)
{
	if (act == INIT)
		return registry_init(dir, NULL);
	return locked(act != REMOVE, "app", OWNER, NULL);
}

/* After a step went wrong: what readers see, and that the same act, and others, work. */
static void check(enum act act)
{
	uid_t uid, again = 0;
	int err;

	steps_left = 0;
	if (act == INIT) {
		assert_int_equal(registry_init(dir, NULL), 0);
		assert_int_equal(enumerated(), 3);
		return;
	}
	uid = seen("app");
	assert_true(uid == 0 || app_uid == 0 || uid == app_uid);
	assert_int_equal(seen("bystander"), bystander);
	assert_in_range(enumerated(), 4, 5);
	err = perform(act);
	if (act == REMOVE) {
		assert_true(err == 0 || (err == -ENOENT && uid == 0));
		assert_int_equal(seen("app"), 0);
		assert_int_equal(locked(true, "app", OTHER, &again), 0);
		assert_int_not_equal(again, app_uid);
		assert_int_equal(locked(false, "app", OTHER, NULL), 0);
		assert_int_equal(locked(true, "app", OWNER, &again), 0);
		assert_int_equal(again, app_uid);
	} else {
		assert_int_equal(err, uid ? -EEXIST : 0);
		assert_true(seen("app") != 0 && (app_uid == 0 || seen("app") == app_uid));
	}
	assert_int_equal(seen("bystander"), bystander);
	assert_int_equal(registry_init(dir, NULL), 0);
	assert_int_equal(enumerated(), 5);
	assert_int_equal(entries("registry/name"), 5);
	assert_int_equal(entries("registry/uid"), 5);
}

static void kill_each_step(enum act act, int least)
{
	for (int n = 1;; n++) {
		int status = -1;
		pid_t pid;

		prepare(act);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			steps_left = n;
			fail = 0;
			_exit(perform(act) == 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
		check(act);
		scratch_remove(dir);
		if (WEXITSTATUS(status) == 0) {
			assert_true(n > least);
			return;
		}
	}
}

static void fail_each_step(enum act act, int error)
{
	for (int n = 1;; n++) {
		bool reached;
		int err;

		prepare(act);
		steps_left = n;
		fail = error;
		err = perform(act);
		reached = steps_left == 0;
		steps_left = 0;
		/* An act that says that it failed has not half happened. */
		if (err < 0 && (act == ADD || act == ADD_AGAIN))
			assert_int_equal(seen("app"), 0);
		if (err == 0 && act == REMOVE)
			assert_int_equal(seen("app"), 0);
		if (!reached)
			assert_int_equal(err, 0);
		check(act);
		scratch_remove(dir);
		if (!reached)
			return;
	}
}

static void killed(void **state)
{
	kill_each_step(ADD, 10);
	kill_each_step(ADD_AGAIN, 12);
	kill_each_step(REMOVE, 10);
}

static void killed_init(void **state)
{
	kill_each_step(INIT, 30);
}

static void failing(void **state)
{
	fail_each_step(ADD, ENOSPC);
	fail_each_step(ADD_AGAIN, EIO);
	fail_each_step(REMOVE, ENOSPC);
	fail_each_step(INIT, EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed),
		cmocka_unit_test(killed_init),
		cmocka_unit_test(failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
