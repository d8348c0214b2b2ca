/* How near words are to each other, and which is likely to be meant. */
#include "config.h"
#include "lib/base/nearest.h"
#include "tests/unit/unit.h"

static const struct {
	const char *a, *b;
	size_t distance;
} pairs[] = {
	{"", "", 0},
	{"", "list", 4},
	{"list", "", 4},
	{"list", "LIST", 0},
	{"lst", "list", 1}, /* less */
	{"lisst", "list", 1}, /* more */
	{"lost", "list", 1}, /* other */
	{"lsit", "list", 1}, /* exchanged */
	{"ilts", "list", 2},
	{"ca", "abc", 3},
	{"kitten", "sitting", 3},
	{"abcdef", "badcfe", 3},
};

static void distances(void **state)
{
	char longer[400], other[400];

	for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
		assert_int_equal(word_distance(pairs[i].a, pairs[i].b), pairs[i].distance);
		assert_int_equal(word_distance(pairs[i].b, pairs[i].a), pairs[i].distance);
	}
	memset(longer, 'x', sizeof(longer) - 1);
	memset(other, 'y', sizeof(other) - 1);
	longer[sizeof(longer) - 1] = other[sizeof(other) - 1] = '\0';
	assert_int_equal(word_distance(longer, other), 64);
	assert_int_equal(word_distance(longer, "x"), 63);
}

static void likely(void **state)
{
	struct nearest n = {.typed = "lsit"};

	assert_null(nearest_likely(&n));
	nearest_try(&n, NULL);
	nearest_try(&n, "add");
	assert_string_equal(n.found, "add");
	assert_null(nearest_likely(&n));
	nearest_try(&n, "list");
	nearest_try(&n, "lit"); /* as near, and later */
	assert_string_equal(nearest_likely(&n), "list");
	n = (struct nearest){.typed = "re"};
	nearest_try(&n, "remove");
	assert_string_equal(nearest_likely(&n), "remove");
	n = (struct nearest){.typed = "r"};
	nearest_try(&n, "remove");
	assert_null(nearest_likely(&n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances),
		cmocka_unit_test(likely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
