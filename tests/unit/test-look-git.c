/* What of .git/config makes git run something: no form that git reads may hide it. */
#include "config.h"
#include "tests/unit/unit.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>

#include "lib/sandbox/look.h"

#define TIMEOUT 5000

static char *dir;

static int look(void *arg, struct person_out *out, struct error *e)
{
	return look_git(*(int *)arg, 0, out);
}

/* The records of a configuration, one a line; owned. */
static char *records_of(const char *config)
{
	struct person who = {.name = "who", .home = "/", .uid = geteuid(), .gid = getegid()};
	_cleanup_(person_reply_done) struct person_reply r = {0};
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *path = NULL;
	char *text;
	FILE *f;

	who.groups = &who.gid;
	who.n_groups = 1;
	assert_true(asprintf(&path, "%s/.git/config", dir) > 0);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(config, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(as_person(&who, look, &fd, fd, TIMEOUT, &r, NULL), 0);
	assert_int_equal(r.result, 0);
	text = calloc(1, r.size + 1);
	assert_non_null(text);
	for (size_t i = 0; i < r.size; i++)
		text[i] = r.data[i] ?: '\n';
	return text;
}

static void expect(const char *config, const char *records)
{
	_cleanup_free_ char *found = records_of(config);

	assert_string_equal(found, records);
}

#define EVIL "G0\tcore.fsmonitor=evil\n"
#define STRANGE "G0\t(a configuration that cannot be read)=config\n"

static void plain(void **state)
{
	expect("", "");
	expect("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://a.test/x\n", "");
	expect("[core]\n\tfsmonitor = evil\n", EVIL);
	expect("[core] fsmonitor = evil", EVIL);
	expect("[CORE]FsMonitor=evil # why", EVIL);
	expect("[core]\r\n\tfsmonitor = evil  \r\n", EVIL);
	expect("[core]\nfsmonitor\n", "G0\tcore.fsmonitor=\n");
	expect("[filter \"A.b\"]\nclean = a  \"b  c\" \\\"d; e\n", "G0\tfilter.A.b.clean=a  b  c \"d\n");
	expect("[filter.A]\nclean = x\n", "G0\tfilter.a.clean=x\n");
	expect("[core]\nfsmonitor = ev\\\nil\n", EVIL);
}

static void hidden(void **state)
{
	/* a comment does not go on after a backslash, nor does a value after an escaped one */
	expect("[core]\n# \\\nfsmonitor = evil\n", EVIL);
	expect("[core]\nbare = no # \\\nfsmonitor = evil\n", EVIL);
	expect("[core]\nlogo = x\\\\\nfsmonitor = evil\n", EVIL);
	/* several in one line; blanks that are none elsewhere; the mark of UTF-8 */
	expect("[user] [core] fsmonitor = evil\n", EVIL);
	expect("[core]\n\rfsmonitor = evil\n", EVIL);
	expect("\r[core]fsmonitor = evil\n", EVIL);
	expect("\xef\xbb\xbf[core]\nfsmonitor = evil\n", EVIL);
	/* brackets and quotes of a name */
	expect("[filter \"a\\\"]\"]\nclean = evil\n", "G0\tfilter.a\"].clean=evil\n");
	expect("[filter \"a#b\"]\nclean = evil\n", "G0\tfilter.a#b.clean=evil\n");
	expect("[filter   \"a\"] clean = evil\n", "G0\tfilter.a.clean=evil\n");
}

static void unreadable(void **state)
{
	static const char *const forms[] = {
		"[core\nfsmonitor = evil\n", "[core \"a]\n", "[core a]\n", "[core \"a\" ]\n", "= x\n",
		"[core]\nfsmonitor evil\n", "[core]\nfsmonitor = \"evil\n", "[core]\nx = \\q\n", "[",
		"[c_re]\n", "[core \"a\\\n",
	};

	for (size_t i = 0; i < ELEMENTSOF(forms); i++)
		expect(forms[i], STRANGE);
	expect("[core]\nx = \\", "");
}

static void long_ones(void **state)
{
	char config[4096] = "[filter \"";

	memset(config + strlen(config), 'a', 2000);
	strcat(config, "\"]\nclean = evil\n");
	_cleanup_free_ char *found = records_of(config);
	assert_non_null(strstr(found, "aaa.clean=evil\n"));
}

/* Where a push goes: to a repository of this machine, whose hooks run, or to a program's. */
static void places(void **state)
{
	static const char *const far[] = {
		"https://a.test/b", "ssh://git@[::1]/b", "git@a.test:b.git", "a.test:/b", "git://a.test/b",
	};
	static const char *const near[] = {
		"./evil", "/tmp/evil", "evil", "evil/", "../a:b", "file:///tmp/evil", "ext::sh -c evil",
		"evil://a.test/b",
	};
	char config[256], records[256];

	for (size_t i = 0; i < ELEMENTSOF(far); i++) {
		snprintf(config, sizeof(config), "[remote \"o\"]\nurl = %s\n", far[i]);
		expect(config, "");
	}
	for (size_t i = 0; i < ELEMENTSOF(near); i++) {
		snprintf(config, sizeof(config), "[remote \"o\"]\npushurl = %s\n", near[i]);
		snprintf(records, sizeof(records), "G0\tremote.o.pushurl=%s\n", near[i]);
		expect(config, records);
	}
	expect("[branch \"a\"]\nremote = origin\nmerge = refs/heads/a\n[branch \"b\"]\nremote = .\n", "");
	expect("[branch \"a\"]\nremote = ./evil\n", "G0\tbranch.a.remote=./evil\n");
	expect("[branch \"a\"]\npushRemote = .git\n", "G0\tbranch.a.pushremote=.git\n");
	expect("[remote]\npushDefault = /evil\n", "G0\tremote.pushdefault=/evil\n");
}

static void cookies(void **state)
{
	expect("[http]\nsaveCookies = true\n", "G0\thttp.savecookies=true\n");
	expect("[http \"https://a.test\"]\ncookieFile = /home/a/.bashrc\n",
		"G0\thttp.https://a.test.cookiefile=/home/a/.bashrc\n");
	expect("[http]\nproxy = b.test\n", "");
}

/* Written into .git, looked at, and removed. */
static void expect_file(const char *folder, const char *file, const char *text, const char *records)
{
	_cleanup_free_ char *path = NULL, *parent = NULL;
	FILE *f;

	assert_true(asprintf(&parent, "%s/.git/%s", dir, folder) > 0);
	assert_true(asprintf(&path, "%s/%s", parent, file) > 0);
	assert_int_equal(mkdir(parent, 0755), 0);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	expect("", records);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(parent), 0);
}

static void beside(void **state)
{
	_cleanup_free_ char *link = NULL;

	expect_file("rebase-merge", "git-rebase-todo", "pick a b\n# exec c\nbreak\nexecute\n", "");
	expect_file("rebase-merge", "git-rebase-todo", "pick a b\n\t exec evil here\nx evil",
		"G0\tgit rebase --continue=\t exec evil here\nG0\tgit rebase --continue=x evil\n");
	expect_file("remotes", "origin", "URL: ./evil\n", "G0\tremotes=origin\n");
	expect_file("branches", "origin", "./evil\n", "G0\tbranches=origin\n");
	assert_true(asprintf(&link, "%s/.git/rebase-merge", dir) > 0);
	assert_int_equal(symlink("../evil", link), 0);
	expect("", "G0\t(a configuration that cannot be read)=rebase-merge\n");
	assert_int_equal(unlink(link), 0);
}

static int make(void **state)
{
	_cleanup_free_ char *git = NULL;

	dir = scratch_make();
	assert_true(asprintf(&git, "%s/.git", dir) > 0);
	return mkdir(git, 0755);
}

static int unmake(void **state)
{
	scratch_remove(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(hidden),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(long_ones),
		cmocka_unit_test(places),
		cmocka_unit_test(cookies),
		cmocka_unit_test(beside),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
