/* Whom a sandbox with Network=full asks for names. */
#include "config.h"
#include "tests/unit/unit.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/sandbox/resolver.h"

static char *dir;

static void path_of(const char *name, char ret_path[static 256])
{
	snprintf(ret_path, 256, "%s/%s", dir, name);
}

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	path_of(name, path);
	unlink(path);
	if (!text)
		return;
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void expect(const char *conf, const char *upstream, const char *text, bool forward)
{
	char own[256], theirs[256];
	struct resolver r;

	put("conf", conf);
	put("upstream", upstream);
	path_of("conf", own);
	path_of("upstream", theirs);
	assert_int_equal(resolver_find(own, theirs, &r), 0);
	assert_string_equal(r.text, text);
	assert_int_equal(r.forward, forward);
	free(r.text);
}

#define FORWARD "nameserver 169.254.1.1\noptions edns0\n"

static void reachable(void **state)
{
	expect("# by hand\nnameserver 192.0.2.2\nsearch a b\n;x\noptions "
	       "rotate\nnameserver\t2001:db8::1",
		"nameserver 192.0.2.9\n",
		"nameserver 192.0.2.2\nsearch a b\noptions rotate\nnameserver\t2001:db8::1\n",
		false);
	expect("nameserver 192.0.2.2\nnameserver 127.0.0.1\n", NULL, "nameserver 192.0.2.2\n",
		false);
	expect("nameserver 1270::1\n", NULL, "nameserver 1270::1\n", false);
}

static void of_resolved(void **state)
{
	expect("nameserver 127.0.0.53\noptions trust-ad\n", "nameserver 192.0.2.9\nsearch c\n",
		"nameserver 192.0.2.9\nsearch c\n", false);
	expect("nameserver 127.0.0.53\nsearch d\n", NULL, FORWARD "search d\n", true);
	expect("nameserver 127.0.0.53\n", "# nobody\n", FORWARD, true);
	expect("nameserver 127.0.0.53\n", "nameserver 127.0.0.1\n", FORWARD, true);
}

static void local(void **state)
{
	expect("nameserver 127.0.0.1\nnameserver 192.0.2.2\n", "nameserver 192.0.2.9\n", FORWARD,
		true);
	expect("nameserver ::1\n", NULL, FORWARD, true);
	expect("nameserver 127.0.0.1", NULL, FORWARD, true);
	expect("", NULL, FORWARD, true);
	expect(NULL, NULL, FORWARD, true);
	expect("nameserver\n", NULL, FORWARD, true);
}

static void not_files(void **state)
{
	char path[256];
	struct resolver r;

	assert_true(resolver_find(dir, "/dev/null/x", &r) < 0);
	path_of("fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(resolver_find(path, "/dev/null/x", &r), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reachable),
		cmocka_unit_test(of_resolved),
		cmocka_unit_test(local),
		cmocka_unit_test(not_files),
	};
	int failed;

	dir = scratch_make();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove(dir);
	return failed;
}
