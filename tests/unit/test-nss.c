/* The functions that glibc calls, on a registry of the test's own. */
#include "config.h"
#include "tests/unit/host-users.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <nss.h>
#include <pthread.h>
#include <shadow.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "lib/base/registry.h"

#define BUF 1024
#define THREADS 32
#define WORKER WORKER_PREFIX "app"
#define UID_LOW ((uid_t)CLSECURE_UID_FIRST - 1000)
#define UID_HIGH ((uid_t)CLSECURE_UID_LAST + 1)

enum nss_status _nss_clsecure_getpwnam_r(const char *, struct passwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_getpwuid_r(uid_t, struct passwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_setpwent(int);
enum nss_status _nss_clsecure_getpwent_r(struct passwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_endpwent(void);
enum nss_status _nss_clsecure_getgrnam_r(const char *, struct group *, char *, size_t, int *);
enum nss_status _nss_clsecure_getgrgid_r(gid_t, struct group *, char *, size_t, int *);
enum nss_status _nss_clsecure_setgrent(int);
enum nss_status _nss_clsecure_getgrent_r(struct group *, char *, size_t, int *);
enum nss_status _nss_clsecure_getspnam_r(const char *, struct spwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_setspent(int);
enum nss_status _nss_clsecure_getspent_r(struct spwd *, char *, size_t, int *);
enum nss_status _nss_clsecure_initgroups_dyn(const char *, gid_t, long *, long *, gid_t **, long,
	int *);
ssize_t __real_readlinkat(int dir, const char *path, char *buf, size_t n);
ssize_t __wrap_readlinkat(int dir, const char *path, char *buf, size_t n);

char nss_test_root[256];
static _Atomic unsigned
	calls; /* of the only system call that the module can make: see nss-symbols */
static uid_t app_uid;
static char *dir;

ssize_t __wrap_readlinkat(int at, const char *path, char *buf, size_t n)
{
	calls++;
	return __real_readlinkat(at, path, buf, n);
}

static uid_t add(const char *slug)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
	struct record record = {0};

	assert_int_equal(registry_lock(dir, &r, NULL), 0);
	assert_int_equal(registry_add(&r, slug, 1000, "/x", &record, NULL), 0);
	return record.uid;
}

static int setup(void **state)
{
	dir = scratch_make();
	snprintf(nss_test_root, sizeof(nss_test_root), "%s/armed", dir);
	assert_int_equal(registry_init(dir, NULL), 0);
	assert_int_equal(registry_arm(dir, NULL), 0);
	app_uid = add("app");
	return 0;
}

static int teardown(void **state)
{
	scratch_remove(dir);
	return 0;
}

static enum nss_status by_name(const char *name, struct passwd *pw, int *errnop)
{
	static _Thread_local char buf[BUF];

	return _nss_clsecure_getpwnam_r(name, pw, buf, sizeof(buf), errnop);
}

static bool there(const char *name)
{
	struct passwd pw;
	int err = 0;

	return by_name(name, &pw, &err) == NSS_STATUS_SUCCESS;
}

static bool there_uid(uid_t uid)
{
	char buf[BUF];
	struct passwd pw;
	int err = 0;

	return _nss_clsecure_getpwuid_r(uid, &pw, buf, sizeof(buf), &err) == NSS_STATUS_SUCCESS;
}

static void answers(void **state)
{
	static const struct {
		const char *name, *gecos, *home, *shell;
		uid_t uid;
	} cases[] = {
		{WORKER, "clsecure project app", "/home/" WORKER,
			CLSECURE_LIBEXECDIR "/clsecure-shell", 0},
		{"claude", "clsecure gateway", "/", CLSECURE_LIBEXECDIR "/clsecure-gateway",
			GATEWAY_UID},
		{"clsecure-egress", "clsecure network filter", "/nonexistent", "/usr/sbin/nologin",
			EGRESS_UID},
		{"clsecure-pasta", "clsecure network", "/nonexistent", "/usr/sbin/nologin",
			PASTA_UID},
	};
	char buf[BUF];
	int err = 42;

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		uid_t uid = cases[i].uid ? cases[i].uid : app_uid;
		struct passwd pw;
		struct group gr;
		struct spwd sp;

		assert_int_equal(by_name(cases[i].name, &pw, &err), NSS_STATUS_SUCCESS);
		assert_string_equal(pw.pw_name, cases[i].name);
		assert_string_equal(pw.pw_passwd, "x");
		assert_int_equal(pw.pw_uid, uid);
		assert_int_equal(pw.pw_gid, uid);
		assert_string_equal(pw.pw_gecos, cases[i].gecos);
		assert_string_equal(pw.pw_dir, cases[i].home);
		assert_string_equal(pw.pw_shell, cases[i].shell);
		assert_true(there_uid(uid));
		assert_int_equal(_nss_clsecure_getgrgid_r(uid, &gr, buf, BUF, &err),
			NSS_STATUS_SUCCESS);
		assert_string_equal(gr.gr_name, cases[i].name);
		assert_int_equal(_nss_clsecure_getgrnam_r(cases[i].name, &gr, buf, BUF, &err),
			NSS_STATUS_SUCCESS);
		assert_int_equal(gr.gr_gid, uid);
		assert_string_equal(gr.gr_passwd, "x");
		assert_null(gr.gr_mem[0]);
		assert_int_equal(_nss_clsecure_getspnam_r(cases[i].name, &sp, buf, BUF, &err),
			NSS_STATUS_SUCCESS);
		assert_string_equal(sp.sp_namp, cases[i].name);
		assert_string_equal(sp.sp_pwdp, "!*");
		assert_true(sp.sp_lstchg == -1 && sp.sp_min == -1 && sp.sp_max == -1);
		assert_true(sp.sp_warn == -1 && sp.sp_inact == -1 && sp.sp_expire == -1);
		assert_true(sp.sp_flag == (unsigned long)-1);
	}
	assert_int_equal(err, 42);
}

static void costs(void **state)
{
	static const char *const strangers[] = {"root", "", "c", "cl", "claud", "claude2", "clamav",
		"www-data", "claude-worker-", "claude-worker-App", "claude-worker-../../x",
		"claude-worker-123456789012345678"};
	long start = 1, size = 1;
	gid_t *groups = NULL;
	struct passwd pw;
	int err = 42;

	calls = 0;
	errno = 7;
	for (size_t i = 0; i < ELEMENTSOF(strangers); i++)
		assert_int_equal(by_name(strangers[i], &pw, &err), NSS_STATUS_NOTFOUND);
	assert_false(there_uid(0) || there_uid(1000) || there_uid(65534) || there_uid((uid_t)-1));
	assert_false(there_uid(UID_RESERVED_FIRST - 1) || there_uid((uid_t)CLSECURE_UID_LAST + 1));
	assert_int_equal(_nss_clsecure_initgroups_dyn(WORKER, app_uid, &start, &size, &groups, -1,
				 &err),
		NSS_STATUS_NOTFOUND);
	assert_int_equal(calls, 0);
	assert_true(there(WORKER));
	assert_int_equal(calls, 2);
	assert_true(there_uid(app_uid));
	assert_int_equal(calls, 4);
	assert_false(there("claude-worker-none"));
	assert_false(there_uid(PERSON_GID));
	assert_int_equal(calls, 6);
	assert_int_equal(errno, 7);
	assert_int_equal(err, 42);
}

static enum nss_status call(int which, void *result, char *buf, size_t size, int *errnop)
{
	switch (which) {
	case 0:
		return _nss_clsecure_getpwnam_r(WORKER, result, buf, size, errnop);
	case 1:
		return _nss_clsecure_getpwuid_r(app_uid, result, buf, size, errnop);
	case 2:
		return _nss_clsecure_getgrnam_r(WORKER, result, buf, size, errnop);
	case 3:
		return _nss_clsecure_getgrgid_r(app_uid, result, buf, size, errnop);
	case 4:
		return _nss_clsecure_getspnam_r(WORKER, result, buf, size, errnop);
	case 5:
		_nss_clsecure_setpwent(0);
		return _nss_clsecure_getpwent_r(result, buf, size, errnop);
	case 6:
		_nss_clsecure_setgrent(0);
		return _nss_clsecure_getgrent_r(result, buf, size, errnop);
	default:
		_nss_clsecure_setspent(0);
		return _nss_clsecure_getspent_r(result, buf, size, errnop);
	}
}

/* Each function, each size, each alignment; nothing behind the end is touched. */
static void buffers(void **state)
{
	union {
		struct passwd pw;
		struct group gr;
		struct spwd sp;
	} result;

	for (int which = 0; which < 8; which++)
		for (size_t shift = 0; shift < sizeof(void *); shift++) {
			bool fits = false;

			for (size_t size = 0; size < 300; size++) {
				char area[320] __attribute__((aligned(16)));
				enum nss_status status;
				int err = 0;

				memset(area, 0xa5, sizeof(area));
				status = call(which, &result, area + shift, size, &err);
				for (size_t i = shift + size; i < sizeof(area); i++)
					assert_int_equal((unsigned char)area[i], 0xa5);
				assert_true(!fits || status == NSS_STATUS_SUCCESS);
				if (status == NSS_STATUS_SUCCESS) {
					fits = true;
					continue;
				}
				assert_int_equal(status, NSS_STATUS_TRYAGAIN);
				assert_int_equal(err, ERANGE);
			}
			assert_true(fits);
			if (which == 2 || which == 3)
				assert_int_equal((uintptr_t)result.gr.gr_mem % sizeof(void *), 0);
		}
}

static const char *in_registry(const char *path)
{
	static char full[512];

	snprintf(full, sizeof(full), "%s/registry/%s", dir, path);
	return full;
}

/* A link in both places, whatever it says. */
static void plant(const char *name, const char *uid, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "name/%s", name);
	assert_int_equal(symlink(text, in_registry(path)), 0);
	snprintf(path, sizeof(path), "uid/%s", uid);
	if (symlink(text, in_registry(path)) < 0)
		assert_int_equal(errno, EEXIST);
}

/* The link of the uid, and what both say: `claim`, which ends before the uid. */
static void plant_uid(const char *name, uid_t u, const char *claim)
{
	char uid[16], text[RECORD_MAX];

	snprintf(uid, sizeof(uid), "%u", u);
	snprintf(text, sizeof(text), "%s%u", claim, u);
	plant(name, uid, text);
}

static void damaged_records(void **state)
{
	char text[2048], uid[32];

	plant_uid("claude-worker-zero", 0, "1:claude-worker-zero:");
	plant_uid("claude-worker-low", UID_LOW, "1:claude-worker-low:");
	plant_uid("claude-worker-high", UID_HIGH, "1:claude-worker-high:");
	plant_uid("claude-worker-gate", GATEWAY_UID, "1:claude-worker-gate:");
	plant_uid("claude-worker-lie", CLSECURE_UID_FIRST + 1, "1:root:");
	plant_uid("claude-worker-v2", CLSECURE_UID_FIRST + 2, "2:claude-worker-v2:");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	snprintf(uid, sizeof(uid), "%u", CLSECURE_UID_FIRST + 3);
	plant("claude-worker-big", uid, text);
	snprintf(uid, sizeof(uid), "%u", app_uid);
	snprintf(text, sizeof(text), "1:claude-worker-twin:%s", uid);
	plant("claude-worker-twin", uid, text);
	assert_int_equal(mkfifo(in_registry("name/claude-worker-fifo"), 0644), 0);
	assert_int_equal(mkdir(in_registry("name/claude-worker-dir"), 0755), 0);
	assert_int_equal(mknod(in_registry("name/claude-worker-file"), S_IFREG | 0644, 0), 0);
	snprintf(uid, sizeof(uid), "uid/%u", CLSECURE_UID_FIRST + 4);
	assert_int_equal(mkfifo(in_registry(uid), 0644), 0);
	snprintf(text, sizeof(text), "1:claude-worker-half:%u", CLSECURE_UID_FIRST + 4);
	assert_int_equal(symlink(text, in_registry("name/claude-worker-half")), 0);
	static const char *const bad[] = {"zero", "low", "high", "gate", "lie", "v2", "big", "twin",
		"fifo", "dir", "file", "half"};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		char name[WORKER_NAME_MAX + 1];

		worker_name(bad[i], name);
		assert_false(there(name));
	}
	for (uid_t u = CLSECURE_UID_FIRST + 1; u <= CLSECURE_UID_FIRST + 4; u++)
		assert_false(there_uid(u));
	assert_false(there_uid(0) || there_uid(UID_LOW) || there_uid(UID_HIGH));
	assert_true(there(WORKER) && there_uid(app_uid) && there("claude"));
}

static void damaged_registry(void **state)
{
	char moved[300], registry[300];
	struct passwd pw;
	int err = 42;

	snprintf(moved, sizeof(moved), "%s/moved", dir);
	snprintf(registry, sizeof(registry), "%s/registry", dir);
	assert_int_equal(rename(registry, moved), 0);
	assert_int_equal(by_name(WORKER, &pw, &err), NSS_STATUS_NOTFOUND);
	assert_int_equal(mkfifo(registry, 0644), 0);
	assert_int_equal(by_name(WORKER, &pw, &err), NSS_STATUS_NOTFOUND);
	unlink(registry);
	assert_int_equal(symlink("registry", registry), 0);
	assert_int_equal(err, 42);
	assert_int_equal(by_name(WORKER, &pw, &err), NSS_STATUS_UNAVAIL);
	assert_int_equal(err, ELOOP);
	unlink(registry);
	assert_int_equal(rename(moved, registry), 0);
	assert_true(there(WORKER));
	assert_int_equal(registry_disarm(dir, NULL), 0);
	assert_false(there(WORKER));
}

/* How many there are; each uid above the one before. */
static unsigned enumerate(size_t size)
{
	unsigned n = 0;
	uid_t last = 0;

	_nss_clsecure_setpwent(0);
	for (;;) {
		char buf[BUF];
		struct passwd pw;
		int err = 0;
		enum nss_status status = _nss_clsecure_getpwent_r(&pw, buf, size, &err);

		if (status == NSS_STATUS_TRYAGAIN) {
			assert_int_equal(err, ERANGE);
			size += 16;
			continue;
		}
		if (status == NSS_STATUS_NOTFOUND)
			break;
		assert_int_equal(status, NSS_STATUS_SUCCESS);
		assert_true(pw.pw_uid > last);
		last = pw.pw_uid;
		n++;
	}
	_nss_clsecure_endpwent();
	return n;
}

static void enumeration(void **state)
{
	char slug[SLUG_MAX + 1], path[16];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(slug, sizeof(slug), "p%u", i);
		add(slug);
	}
	assert_int_equal(enumerate(BUF), 44);
	assert_int_equal(enumerate(0), 44);
	/*
	 * Two calls for each, one more in each block; the rest of the range costs the map's blocks.
	 */
	calls = 0;
	enumerate(BUF);
	assert_in_range(calls, 88, 88 + 44 + 200);
	/* The map is a hint: damaged, it hides nobody. */
	for (unsigned i = 0; i <= (CLSECURE_UID_LAST - CLSECURE_UID_FIRST) / RECORD_MAP_BITS; i++) {
		snprintf(path, sizeof(path), "map/%u", i);
		unlink(in_registry(path));
		assert_int_equal(i % 2
				? symlink("1:x", in_registry(path))
				: mkfifo(in_registry(path), 0644),
			0);
	}
	assert_int_equal(enumerate(BUF), 44);
	assert_int_equal(registry_init(dir, NULL), 0);
	calls = 0;
	assert_int_equal(enumerate(BUF), 44);
	assert_in_range(calls, 88, 88 + 44 + 200);
}

static _Atomic bool stop;
static _Atomic unsigned wrong;

static void *asker(void *arg)
{
	unsigned n = 0;

	while (!stop) {
		struct passwd pw;
		char buf[BUF];
		int err = 0;

		if (by_name(WORKER, &pw, &err) != NSS_STATUS_SUCCESS || pw.pw_uid != app_uid ||
		    !streq(pw.pw_dir, "/home/" WORKER) || there("root"))
			wrong++;
		/* What comes and goes: all of it or nothing. */
		if (by_name("claude-worker-moving", &pw, &err) == NSS_STATUS_SUCCESS &&
		    (pw.pw_uid < CLSECURE_UID_FIRST || pw.pw_uid != pw.pw_gid))
			wrong++;
		if (_nss_clsecure_getpwent_r(&pw, buf, sizeof(buf), &err) == NSS_STATUS_NOTFOUND)
			_nss_clsecure_setpwent(0);
		if (++n % 256 == 0)
			sched_yield();
	}
	return NULL;
}

/* In a child that was forked from the middle of all those threads. */
static int child(void)
{
	alarm(10);
	if (!there(WORKER) || !there_uid(app_uid) || there("root"))
		return 1;
	return enumerate(BUF) >= 4 ? 0 : 2;
}

static void threads_and_forks(void **state)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, asker, NULL), 0);
	for (int i = 0; i < 20; i++) {
		_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
		int status = -1;
		pid_t pid;

		add("moving");
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(child());
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(registry_lock(dir, &r, NULL), 0);
		assert_int_equal(registry_remove(&r, "moving", 1000, "/x", NULL), 0);
	}
	stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers, setup, teardown),
		cmocka_unit_test_setup_teardown(costs, setup, teardown),
		cmocka_unit_test_setup_teardown(buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_records, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_registry, setup, teardown),
		cmocka_unit_test_setup_teardown(enumeration, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_and_forks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
