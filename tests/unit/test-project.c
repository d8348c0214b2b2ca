/* project.conf, and a project's life from add to remove. */
#include "config.h"
#include "tests/unit/policy-place.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

static void canonical_form(void **state)
{
	_cleanup_(project_file_done) struct project_file f = {0};
	_cleanup_free_ char *text = NULL, *again = NULL;
	static const char data[] =
		"[Project]\nPath=\"/a # \\\"b\"\nOwner=5:x y\n[Session]\nSetEnv='A=1 2'\n"
		"SetEnv=B=\n[Files]\nProtectPaths=\nProtectPaths=z\nHide=q\n"
		"[State]\nVersion=1\nCreated=7\nChanged=8\n";
	struct error e = {0};

	assert_int_equal(project_file_parse(data, strlen(data), "f", &f, &e), 0);
	assert_string_equal(f.path, "/a # \"b");
	assert_string_equal(f.owner_name, "x y");
	assert_int_equal(f.changed, 8);
	assert_int_equal(project_file_text(&f, &text, &e), 0);
	project_file_done(&f);
	assert_int_equal(project_file_parse(text, strlen(text), "f", &f, &e), 0);
	assert_int_equal(project_file_text(&f, &again, &e), 0);
	assert_string_equal(text, again);
	assert_non_null(strstr(text, "SetEnv=\"A=1 2\"\nSetEnv=B=\n"));
	assert_non_null(strstr(text, "ProtectPaths=\nProtectPaths=z\n"));
	assert_non_null(strstr(text, "\nHide=q\n"));
}

static bool there(const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", projects, name);
	return lstat(path, &st) == 0;
}

static void forms_of_paths(void **state)
{
	static const char *const good[] = {
		"/", "/a", "/a/b", "/a/..b", "/a/.git", "/a b", "/\xc3\xa9"};
	static const char *const bad[] = {"", "a", "/a/", "//", "/a//b", "/a/.", "/a/..", "/../a",
		"/a/./b", "/a\nb", "/a\x7f", "/\xc3"};
	struct error e = {0};

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		assert_int_equal(project_path_check(good[i], &e), 0);
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(project_path_check(bad[i], &e), -EINVAL);
	/* so that it can be found and renamed */
	assert_int_equal(project_path_check("/\xc3\xa9/a\nb\tc\x1b[m\xff", &e), -EINVAL);
	assert_non_null(strstr(e.text, "cannot be a project: '/\xc3\xa9/a\\nb\\tc\\x1b[m\\xff'"));
}

static void a_projects_life(void **state)
{
	struct person owner;
	struct error e = {0};
	struct project_new n = {
		.slug = "app", .path = dir, .owner = &owner, .worker_uid = getuid()};
	char path[256];
	struct stat st;
	int fd;

	fake_person(person_uid, &owner, NULL);
	/* what one that was killed has left */
	if (access(projects, F_OK) < 0)
		make(top, "projects");
	make(projects, ".new-app");
	make(projects, ".new-app/home");
	assert_int_equal(project_prepare(&n, &e), 0);
	assert_int_equal(project_create(&n, &e), 0);
	assert_int_equal(project_create(&n, &e), -EEXIST);
	assert_false(there(".new-app"));
	snprintf(path, sizeof(path), "%s/app/home", projects);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	n.slug = "shell";
	assert_int_equal(project_create(&n, &e), -EINVAL);
	n.slug = "../x";
	assert_int_equal(project_create(&n, &e), -EINVAL);
	project_new_done(&n);
	n.path = "relative";
	assert_int_equal(project_prepare(&n, &e), -EINVAL);
	n.path = "/new\nline";
	assert_int_equal(project_prepare(&n, &e), -EINVAL);
	n.path = dir;
	n.assignments = WORDS("Netwrok=full");
	assert_int_equal(project_prepare(&n, &e), -EINVAL);
	assert_null(n.file);
	person_done(&owner);

	put_in(projects, "app/home/file", "x");
	make(projects, "app/.home.new");
	assert_int_equal(project_empty_home("app", getuid(), &e), 0);
	assert_false(there("app/home/file"));
	assert_true(there("app/home"));
	assert_false(there("app/.home.new"));
	/* one before it is still being removed: by somebody else, who is let be */
	make(projects, ".old-app.0");
	assert_int_equal(project_destroy("app", &e), 0);
	assert_false(there("app"));
	assert_true(there(".old-app.1"));
	snprintf(path, sizeof(path), "%s/.old-app.0", projects);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(projects_sweep(&e), 0);
	assert_true(there(".old-app.0"));
	assert_false(there(".old-app.1"));
	close(fd);
	assert_int_equal(projects_sweep(&e), 0);
	assert_false(there(".old-app.0"));
	assert_int_equal(project_destroy("app", &e), -ENOENT);
}

/* Deeper than PATH_MAX, with links that lead out and names like the remover's own. */
static void hostile_trees(void **state)
{
	struct error e = {0};
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), at;

	put_in(top, "precious", "x");
	make(top, "tree");
	make(top, "tree/~0");
	put_in(top, "tree/~0/f", "x");
	make(top, "tree/~1");
	assert_int_equal(symlinkat(top, fd, "tree/~1/out"), 0);
	assert_int_equal(symlinkat("../../precious", fd, "tree/~1/precious"), 0);
	make(top, "tree/deep");
	at = openat(fd, "tree/deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 5000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		assert_int_equal(mkdirat(at, "e", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(tree_remove(fd, "tree", &e), 0);
	assert_int_equal(faccessat(fd, "tree", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(tree_remove(fd, "tree", &e), 0);
	assert_int_equal(faccessat(fd, "precious", F_OK, 0), 0);
	/* a link in its place is removed, not followed */
	assert_int_equal(symlinkat(home, fd, "tree"), 0);
	assert_int_equal(tree_remove(fd, "tree", &e), 0);
	assert_int_equal(access(home, F_OK), 0);
	assert_int_equal(unlinkat(fd, "precious", 0), 0);
	close(fd);
}

/* Killed at any time, project.conf is the old one or the new one. */
static void killed_while_writing(void **state)
{
	ADD("Linger=1");
	for (int i = 0; i < 30; i++) {
		_cleanup_(policy_freep) struct policy *p = NULL;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			for (int k = 1;; k++) {
				char text[32];

				snprintf(text, sizeof(text), "Linger=%d", k % 2 + 1);
				project_change("app", person_uid, WORDS(text), false, NULL, NULL);
			}
		}
		usleep(2000 + (useconds_t)i * 137);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		p = LOAD();
		assert_in_range(policy_number(p, SETTING_LINGER), 1, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(canonical_form),
		TEST(forms_of_paths),
		TEST(a_projects_life),
		TEST(hostile_trees),
		TEST(killed_while_writing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
