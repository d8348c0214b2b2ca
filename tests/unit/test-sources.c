/* The files that settings come from: broken ones, and what stands in their place. */
#include "config.h"
#include "tests/unit/policy-place.h"

static void broken_files(void **state)
{
	ADD();
	put_in(home, PERSON, "[Network]\nNetwrok=full\n");
	expect_error(-EBADMSG,
		"/home/.config/clsecure/config:2: there is no setting 'Netwrok'; the nearest is "
		"Network=");
	put_in(home, PERSON, "[Network]\nNetwork=full\nNetwork=none\n");
	expect_error(-EBADMSG, ":3: Network= stands here a second time");
	put_in(home, PERSON, "[Files]\nNetwork=full\n");
	expect_error(-EBADMSG, ":2: Network= belongs to [Network]");
	put_in(home, PERSON, "[Netwrk]\nNetwork=full\n");
	expect_error(-EBADMSG, ":1: there is no section [Netwrk]; the nearest is [Network]");
	put_in(home, PERSON, "[Netwrk]\n");
	expect_error(-EBADMSG, ":1: there is no section [Netwrk]");
	put_in(home, PERSON, "Network=full\n");
	expect_error(-EBADMSG, ":1: '=' before the first");
	put_in(home, PERSON, "mode = user\nnetwork = true\n");
	expect_error(-EBADMSG, "network: [Network] Network=");
	put_in(home, PERSON, "[Files]\nWorkspace=clone\n");
	expect_error(-EBADMSG, "Workspace=clone is not in this version");
	drop_in(home, PERSON);
	put_in(dir, PROJECT, "[Network]\nNetwork=ful\n");
	expect_error(-EBADMSG, "/.clsecure/config:2: Network= is none of: none, filtered, full");
	put_in(dir, PROJECT, "mode = user\n");
	expect_error(-EBADMSG, "this is the earlier clsecure's");
	drop_in(dir, PROJECT);
	put(conf, "[Network]\nNetwork=ful\n");
	expect_error(-EBADMSG, "clsecure.conf:2: Network= is none of: none, filtered, full");
	unlink(conf);
	put_in(home, ".clsecurerc", "mode = user\n");
	{
		_cleanup_(policy_freep) struct policy *p = LOAD();

		assert_non_null(strstr(policy_warnings(p)[0], ".clsecurerc"));
	}
}

static void traps_in_a_persons_place(void **state)
{
	char path[256], big[33 * 1024];

	ADD();
	snprintf(path, sizeof(path), "%s/" PROJECT, dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_error(-EBADMSG, "a link or a mount");
	unlink(path);
	assert_int_equal(mkfifo(path, 0666), 0);
	expect_error(-EBADMSG, "is not a regular file; to be rid of it, in the project: mv .clsecure");
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	expect_error(-EBADMSG, "is not a regular file");
	rmdir(path);
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	put(path, big);
	expect_error(-EFBIG, "File too large; to be rid of it");
	unlink(path);
	/* a link inside the home is the person's own affair, one out of it is not followed */
	snprintf(path, sizeof(path), "%s/" PERSON, home);
	put_in(home, "dotfile", "[Session]\nLinger=3\n");
	assert_int_equal(symlink("../../dotfile", path), 0);
	expect(SETTING_LINGER, "3s", SOURCE_PERSON);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_error(-EBADMSG, "a link or a mount");
	unlink(path);
}

static void roots_files_are_roots(void **state)
{
	char path[256];

	ADD();
	put(conf, "[Session]\nLinger=3\n");
	chmod(conf, 0666);
	expect_error(-EPERM, "is not root's alone to write");
	chmod(conf, 0644);
	paths.trusted++;
	expect_error(-EPERM, "is not root's alone to write");
	paths.trusted--;
	unlink(conf);
	assert_int_equal(mkdir(conf, 0755), 0);
	expect_error(-EBADMSG, "is not a regular file");
	rmdir(conf);
	snprintf(path, sizeof(path), "%s/app/project.conf", projects);
	put(path, "[Project]\nOwner=1:x\n");
	expect_error(-EBADMSG, "no Path=");
	put(path, "[Project]\nPath=/x\nOwner=x\n");
	expect_error(-EBADMSG, "Owner= is wrong");
	put(path, "[Project]\nPath=x\nOwner=1:x\n");
	expect_error(-EBADMSG, "Path= is wrong");
	put(path, "[State]\nVersion=2\n");
	expect_error(-EBADMSG, "not of this version");
	unlink(path);
	expect_error(-EBADMSG, "is missing");
}

static void answers_of_a_child(void **state)
{
	static const struct {
		uint32_t source, setting, line, length;
		char text[8];
	} bad[] = {
		{SOURCE_ADMIN, SETTING_LINGER, 1, 8, "00000001"},
		{SOURCE_PERSON, SETTING_COUNT_ + 1, 1, 8, "00000001"},
		{SOURCE_PERSON, SETTING_LINGER, 1, 9, "00000001"},
		{SOURCE_PERSON, SETTING_LINGER, 1, UINT32_MAX, ""},
		{SOURCE_PERSON, SETTING_LINGER, 1, 8, {'1', 0}},
		{SOURCE_PERSON, SETTING_OWNER, 1, 8, "0:root00"},
		{SOURCE_PERSON, SETTING_ALLOW_SERVICES, 1, 8, "00000001"},
		{SOURCE_PERSON, SETTING_LINGER, 1, 8, "0000000x"},
	};
	struct error e;

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		struct stack k = {.layers[SOURCE_PERSON].source = SOURCE_PERSON};

		assert_true(take_answer(&k, (const char *)&bad[i], sizeof(bad[i]), &e) < 0);
		stack_done(&k);
	}
	for (size_t n = 1; n < sizeof(bad[0]); n++) {
		struct stack k = {0};

		assert_true(take_answer(&k, (const char *)&bad[7], n, &e) < 0);
		stack_done(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(broken_files),
		TEST(traps_in_a_persons_place),
		TEST(roots_files_are_roots),
		TEST(answers_of_a_child),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
