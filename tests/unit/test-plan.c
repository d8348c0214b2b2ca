/* The plan of a sandbox's file system: what is in it, in which order, and what may not be. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/sandbox/plan.h"

static const struct plan_tree trees[] = {
	{"/home/ann/app", true},
	{"/home/claude-worker-app", true},
	{"/home/ann/data", false},
};

static struct plan_input input(void)
{
	return (struct plan_input){
		.slug = "app",
		.project = "/home/ann/app",
		.worker = 70001,
		.worker_name = "claude-worker-app",
		.owner_name = "ann",
		.owner_uid = 1000,
		.tmp_size = 1 << 20,
		.tmp_inodes = 100,
		.trees = trees,
		.n_trees = ELEMENTSOF(trees),
	};
}

static const struct plan_step *find(const struct plan *p, enum plan_kind kind,
	const char *destination)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->steps[i].kind == kind && streq(p->steps[i].destination, destination))
			return &p->steps[i];
	return NULL;
}

static void whole(void **state)
{
	struct plan_input in = input();
	const struct plan_step *s;
	struct error e = {0};
	struct plan p;

	assert_int_equal(plan_make(&in, &p, &e), 0);
	assert_non_null(find(&p, PLAN_MIRROR, "/usr"));
	assert_non_null(find(&p, PLAN_PROC, "/proc"));
	assert_non_null(find(&p, PLAN_COVER, "/proc/kcore"));
	assert_non_null(find(&p, PLAN_READONLY, "/proc/sys"));
	assert_null(find(&p, PLAN_FILE, "/etc/resolv.conf"));
	assert_null(find(&p, PLAN_COPY, "/etc/shadow"));
	assert_null(find(&p, PLAN_COPY, "/etc/passwd"));
	s = find(&p, PLAN_FILE, "/etc/passwd");
	assert_non_null(s);
	assert_non_null(strstr(s->source, "claude-worker-app:x:70001:70001:"));
	assert_non_null(strstr(s->source, "\nann:x:1000:"));
	s = find(&p, PLAN_TMPFS, "/tmp");
	assert_non_null(s);
	assert_int_equal(s->size, 1 << 20);
	assert_int_equal(s->inodes, 100);
	assert_int_equal(s->mode, 01777);
	s = find(&p, PLAN_TREE, "/home/ann/app");
	assert_non_null(s);
	assert_int_equal(s->tree, 0);
	assert_int_equal(s->flags, 0);
	s = find(&p, PLAN_TREE, "/home/ann/data");
	assert_non_null(s);
	assert_int_equal(s->flags, PLAN_RDONLY);
	/* the root is closed last */
	assert_int_equal(p.steps[p.n - 1].kind, PLAN_SEAL);
	assert_string_equal(p.steps[p.n - 1].destination, "/");
	plan_done(&p);
}

static void no_host_run(void **state)
{
	struct plan_input in = input();
	struct plan p;

	assert_int_equal(plan_make(&in, &p, NULL), 0);
	for (size_t i = 0; i < p.n; i++) {
		const struct plan_step *s = &p.steps[i];

		if (s->kind != PLAN_MIRROR && s->kind != PLAN_COPY)
			continue;
		/* nothing of the host but programs and named files of /etc */
		assert_true(strncmp(s->source, "/run", 4) != 0 &&
			strncmp(s->source, "/home", 5) != 0 &&
			strncmp(s->source, "/root", 5) != 0 && !streq(s->source, "/etc") &&
			!streq(s->source, "/var") && !streq(s->source, "/"));
	}
	plan_done(&p);
}

static void ephemeral_and_network(void **state)
{
	struct plan_input in = input();
	const struct plan_step *s;
	struct plan p;

	in.home_ephemeral = true;
	in.resolv_conf = "nameserver 192.0.2.2\n";
	in.n_trees = 1;
	assert_int_equal(plan_make(&in, &p, NULL), 0);
	s = find(&p, PLAN_TMPFS, "/home/claude-worker-app");
	assert_non_null(s);
	assert_int_equal(s->owner, 70001);
	assert_int_equal(s->mode, 0700);
	s = find(&p, PLAN_FILE, "/etc/resolv.conf");
	assert_string_equal(s->source, "nameserver 192.0.2.2\n");
	s = find(&p, PLAN_FILE, "/etc/nsswitch.conf");
	assert_non_null(strstr(s->source, "hosts: files dns\n"));
	plan_done(&p);
}

static void root_owner(void **state)
{
	struct plan_input in = input();
	const struct plan_step *s;
	struct plan p;

	in.owner_uid = 0;
	in.owner_name = "root";
	assert_int_equal(plan_make(&in, &p, NULL), 0);
	s = find(&p, PLAN_FILE, "/etc/passwd");
	assert_null(strstr(s->source + 1, "\nroot:")); /* once only */
	plan_done(&p);
}

static void destinations(void **state)
{
	static const char *const good[] = {
		"/home/ann/app", "/srv/app", "/data", "/tmp/x", "/opt/app", "/home/ann/a..b"};
	static const char *const bad[] = {"", "/", "home", "/etc", "/etc/x", "/usr/local",
		"/run/user/1000", "/var/tmp/x", "/lib64/x", "/dev/shm", "/proc/1", "/sys",
		"/root/x", "/home/../etc", "/home/./x", "/home//x", "/home/x/", "/home", "/tmp",
		"/opt"};

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		assert_true(plan_destination_valid(good[i]));
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_false(plan_destination_valid(bad[i]));
}

static void refused_destination(void **state)
{
	static const struct plan_tree wrong[] = {{"/etc/cron.d", true}};
	struct plan_input in = input();
	struct error e = {0};
	struct plan p = {0};

	in.trees = wrong;
	in.n_trees = 1;
	assert_int_equal(plan_make(&in, &p, &e), -EINVAL);
	assert_non_null(strstr(e.text, "/etc/cron.d"));
	assert_null(p.steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(no_host_run),
		cmocka_unit_test(ephemeral_and_network),
		cmocka_unit_test(root_owner),
		cmocka_unit_test(destinations),
		cmocka_unit_test(refused_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
