/* What is looked for in a home is told whole, or not at all. */
#include "config.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/sandbox/identity.h"
#include "lib/sandbox/look.h"
#include "lib/sandbox/toolchains.h"

static char *home;

static int find(const char *name, struct toolchains *ret)
{
	struct person who = {.name = "who", .uid = geteuid(), .gid = getegid()};
	_cleanup_free_ char *path = NULL;
	struct error e = {0};
	FILE *f;

	who.groups = &who.gid;
	who.n_groups = 1;
	snprintf(who.home, sizeof(who.home), "%s", home);
	assert_true(asprintf(&path, "%s/.gitconfig", home) > 0);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "[user]\n\tname = %s\n", name);
	assert_int_equal(fclose(f), 0);
	return toolchains_find(&who, "/nowhere", TOOLCHAINS_IDENTITY, ret, &e);
}

static void identity(void **state)
{
	_cleanup_(toolchains_done) struct toolchains t = {0};

	assert_int_equal(find("Ann \\\"A\\\"", &t), 0);
	assert_string_equal(t.gitconfig, "[user]\n\tname = \"Ann \\\"A\\\"\"\n");
}

/* Not as if there were none. */
static void too_long(void **state)
{
	_cleanup_(toolchains_done) struct toolchains t = {0};
	_cleanup_free_ char *name = malloc(PERSON_REPLY_MAX + 1);

	assert_non_null(name);
	memset(name, 'a', PERSON_REPLY_MAX);
	name[PERSON_REPLY_MAX] = '\0';
	assert_int_equal(find(name, &t), -E2BIG);
	assert_null(t.gitconfig);
}

static void next(const char *records, size_t size, int whole, int end)
{
	const char *at = records, *path;
	enum look_kind kind;
	unsigned tree;

	for (int i = 0; i < whole; i++) {
		assert_int_equal(look_next(&at, records + size, &kind, &tree, &path), 1);
		assert_int_equal(kind, LOOK_PROTECT);
		assert_int_equal(tree, 12);
		assert_string_equal(path, "a/b");
	}
	assert_int_equal(look_next(&at, records + size, &kind, &tree, &path), end);
}

#define WHOLE "P12\ta/b\0"
#define NEXT(records, whole, end) next(records, sizeof(records) - 1, whole, end)

static void damaged(void **state)
{
	NEXT("", 0, 0);
	NEXT(WHOLE, 1, 0);
	NEXT(WHOLE WHOLE, 2, 0);
	NEXT(WHOLE "P12\ta", 1, -EPROTO); /* no end */
	NEXT(WHOLE "P12\0" WHOLE, 1, -EPROTO); /* no path */
	NEXT(WHOLE "\0", 1, -EPROTO);
	NEXT("P", 0, -EPROTO);
}

static void identity_damaged(void **state)
{
	static const char records[] = "I0\tuser.name=Ann\0I0\tuser.email=";
	char *text = NULL;

	assert_int_equal(git_identity_text(records, sizeof(records) - 1, &text), -EPROTO);
	assert_null(text);
}

static int make(void **state)
{
	home = scratch_make();
	return 0;
}

static int unmake(void **state)
{
	scratch_remove(home);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity),
		cmocka_unit_test(too_long),
		cmocka_unit_test(damaged),
		cmocka_unit_test(identity_damaged),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
