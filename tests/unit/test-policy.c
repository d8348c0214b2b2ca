/* Layers, precedence and bounds: what a project's settings come to. */
#include "config.h"
#include "tests/unit/policy-place.h"

#include <time.h>

static void no_project(void **state)
{
	struct policy *p = NULL;
	struct error e;

	assert_int_equal(policy_load("app", NULL, 0, &p, &e), -ENOENT);
	assert_int_equal(policy_load("../x", NULL, 0, &p, &e), -ENOENT);
	assert_int_equal(project_change("app", person_uid, WORDS(), true, NULL, &e), -ENOENT);
	assert_int_equal(project_empty_home("app", 0, &e), -ENOENT);
}

static void defaults(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	size_t n;

	ADD();
	p = LOAD();
	assert_string_equal(policy_slug(p), "app");
	assert_string_equal(policy_path(p), dir);
	assert_int_equal(policy_owner(p)->uid, person_uid);
	assert_string_equal(policy_choice(p, SETTING_NETWORK), "none");
	assert_string_equal(policy_source_text(p, SETTING_NETWORK), "default");
	assert_int_equal(policy_number(p, SETTING_TMP_SIZE), 2ull << 30);
	assert_int_equal(policy_expires(p), UINT64_MAX);
	assert_null(policy_warnings(p)[0]);
	policy_list(p, SETTING_PASS_ENV, &n);
	assert_int_equal(n, 6);
	assert_null(policy_list(p, SETTING_BIND, &n)[0]);
	assert_int_equal(n, 0);
}

static void precedence(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL, *q = NULL;

	ADD("Profile=");
	put(conf, "[Session]\nLinger=1s\n");
	expect(SETTING_LINGER, "1s", SOURCE_ADMIN);
	put_in(profiles, "web.conf", "[Session]\nLinger=5s\n");
	set_ok(false, "Profile=web");
	expect(SETTING_LINGER, "5s", SOURCE_PROFILE);
	put_in(dir, PROJECT, "[Session]\nLinger=4s\n");
	expect(SETTING_LINGER, "4s", SOURCE_PROJECT_FILE);
	put_in(home, PERSON, "[Session]\n# more\nLinger=6s\n");
	expect(SETTING_LINGER, "6s", SOURCE_PERSON);
	set_ok(false, "Linger=7");
	expect(SETTING_LINGER, "7s", SOURCE_PROJECT);
	p = LOAD("Linger=8");
	assert_string_equal(policy_text(p, SETTING_LINGER), "8s");
	assert_string_equal(policy_source_text(p, SETTING_LINGER), "this run");
	q = load_with(NULL, POLICY_TRUSTED_ONLY);
	assert_string_equal(policy_text(q, SETTING_LINGER), "7s");
	set_ok(false, "Linger=");
	policy_free(q);
	q = load_with(NULL, POLICY_TRUSTED_ONLY);
	assert_string_equal(policy_text(q, SETTING_LINGER), "5s");
	policy_free(q);
	q = LOAD();
	assert_non_null(strstr(policy_source_text(q, SETTING_LINGER),
		"/home/.config/clsecure/config:3"));
}

static void a_projects_file_only_tightens(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;

	ADD();
	put(conf, "[Session]\nPassEnv=A B\n[Files]\nHide=x\n");
	put_in(dir, PROJECT, "[Network]\nNetwork=full\n[Session]\nPassEnv=B C\nCommand=evil\n"
		"[Files]\nHide=y\nProtectPaths=\nHome=ephemeral\n[Syscalls]\nAllowPtrace=no\n");
	p = LOAD();
	assert_string_equal(policy_text(p, SETTING_NETWORK), "none");
	assert_string_equal(policy_text(p, SETTING_PASS_ENV), "B");
	assert_string_equal(policy_text(p, SETTING_COMMAND), "");
	assert_string_equal(policy_text(p, SETTING_HIDE), "x y");
	assert_string_equal(policy_text(p, SETTING_PROTECT_PATHS),
		settings[SETTING_PROTECT_PATHS].builtin);
	assert_string_equal(policy_text(p, SETTING_HOME), "ephemeral");
	assert_int_equal(policy_number(p, SETTING_ALLOW_PTRACE), 0);
	for (size_t i = 0; i < 4; i++)
		assert_non_null(policy_warnings(p)[i]);
	assert_null(policy_warnings(p)[4]);
	assert_non_null(strstr(policy_warnings(p)[0],
		"/.clsecure/config:5: a project's file cannot say Command="));
}

static void lists_of_layers(void **state)
{
	ADD();
	put(conf, "[Session]\nPassEnv=A B\nPassEnv=C\n[Files]\nProtectPaths=m1\n");
	expect(SETTING_PASS_ENV, "A B C", SOURCE_ADMIN);
	put_in(home, PERSON, "[Session]\nPassEnv=D\n[Files]\nHide=a\nHide=b\nProtectPaths=m2\n");
	/* of which more is looser: in the place of; of which fewer is looser: beside */
	expect(SETTING_PASS_ENV, "D", SOURCE_PERSON);
	expect(SETTING_HIDE, "a b", SOURCE_PERSON);
	{
		_cleanup_(policy_freep) struct policy *p = LOAD();

		assert_non_null(strstr(policy_text(p, SETTING_PROTECT_PATHS), ".husky"));
		assert_non_null(strstr(policy_text(p, SETTING_PROTECT_PATHS), "m1 m2"));
	}
	set_ok(false, "PassEnv+=E");
	expect(SETTING_PASS_ENV, "D E", SOURCE_PROJECT);
	set_ok(false, "PassEnv-=D");
	expect(SETTING_PASS_ENV, "E", SOURCE_PROJECT);
	set_ok(false, "PassEnv-=E");
	expect(SETTING_PASS_ENV, "", SOURCE_PROJECT);
	set_ok(false, "PassEnv=");
	expect(SETTING_PASS_ENV, "D", SOURCE_PERSON);
	set_ok(false, "ProtectPaths=only this");
	expect(SETTING_PROTECT_PATHS, "only this", SOURCE_PROJECT);
	set_ok(false, "ProtectPaths-=this");
	expect(SETTING_PROTECT_PATHS, "only", SOURCE_PROJECT);
	put_in(home, PERSON, "[Files]\nHide=a\nHide=\nHide=c\n");
	expect(SETTING_HIDE, "c", SOURCE_PERSON);
}

static void the_administrators_bounds(void **state)
{
	struct error e = {0};
	struct policy *p = NULL;

	ADD("OpenFiles=200000");
	expect(SETTING_OPEN_FILES, "200000", SOURCE_PROJECT);
	put(conf, "[Limits]\nOpenFiles=1000\n");
	expect(SETTING_OPEN_FILES, "1000", SOURCE_PROJECT);
	assert_int_equal(set(false, &e, "OpenFiles=1001", NULL), -EPERM);
	assert_non_null(strstr(e.text, "more than the administrator allows (1000)"));
	set_ok(false, "OpenFiles=999");
	expect(SETTING_OPEN_FILES, "999", SOURCE_PROJECT);
	assert_int_equal(policy_load("app", WORDS("OpenFiles=1001"), 0, &p, &e), -EPERM);
	/* what root says of one project counts */
	set_ok(true, "OpenFiles=5000");
	expect(SETTING_OPEN_FILES, "5000", SOURCE_PROJECT);
	set_ok(false, "Linger=1");
	expect(SETTING_OPEN_FILES, "5000", SOURCE_PROJECT);
	set_ok(true, "OpenFiles=");
	put_in(home, PERSON, "[Limits]\nOpenFiles=infinity\n");
	expect(SETTING_OPEN_FILES, "1000", SOURCE_PERSON);
	p = LOAD();
	assert_non_null(policy_warnings(p)[0]);
	policy_free(p);
}

static void what_is_the_administrators(void **state)
{
	struct error e = {0};
	struct policy *p = NULL;

	ADD();
	assert_int_equal(set(false, &e, "AllowServices=sshd", NULL), -EPERM);
	assert_int_equal(set(false, &e, "Mode=namespace", NULL), -EPERM);
	set_ok(true, "AllowServices=sshd");
	expect(SETTING_ALLOW_SERVICES, "sshd", SOURCE_PROJECT);
	assert_int_equal(set(true, &e, "Path=/x", NULL), -EPERM);
	assert_non_null(strstr(e.text, "clsecure remove"));
	assert_int_equal(set(true, &e, "Owner=0:root", NULL), -EPERM);
	assert_int_equal(set(true, &e, "MaxProjects=1", NULL), -EPERM);
	assert_int_equal(policy_load("app", WORDS("AllowServices=su"), 0, &p, &e), -EPERM);
	assert_int_equal(policy_load("app", WORDS("AllowUsers=x"), 0, &p, &e), -EPERM);
	put_in(home, PERSON, "[Session]\nAllowServices=login\n");
	expect_error(-EPERM, "/config:2: AllowServices= is the administrator's alone");
	put_in(home, PERSON, "[Project]\nAllowUsers=x\n");
	expect_error(-EPERM, "clsecure set PROJECT AllowUsers=VALUE");
}

static void nothing_is_changed_by_an_error(void **state)
{
	struct error e = {0};
	bool waits[SETTING_COUNT_] = {0};
	size_t n = 0;

	ADD("Linger=5");
	assert_int_equal(set(false, &e, "Linger=6", "Netwrok=full"), -EINVAL);
	assert_non_null(strstr(e.text, "Network="));
	assert_int_equal(set(false, &e, "Linger=6", "MemoryMax=1G"), -EOPNOTSUPP);
	assert_int_equal(set(false, &e, "Linger=6", "Linger"), -EINVAL);
	assert_int_equal(set(false, &e, "Linger+=6", NULL), -EINVAL);
	assert_int_equal(set(false, &e, "PassEnv-=NOT_THERE", NULL), -EINVAL);
	assert_int_equal(set(false, &e, "Profile=none-such", NULL), -EINVAL);
	assert_int_equal(set(false, &e, "Command=a\nb", NULL), -EINVAL);
	expect(SETTING_LINGER, "5s", SOURCE_PROJECT);
	assert_int_equal(project_change("app", person_uid, WORDS("Linger=5", "AllowUsers=x",
		"Network=full", "Home=ephemeral"), false, waits, &e), 0);
	assert_int_equal(project_change("app", person_uid + 1, WORDS("Linger=6"), true, NULL, &e),
		-EAGAIN);
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		n += waits[s];
	assert_int_equal(n, 2);
	assert_true(waits[SETTING_NETWORK] && waits[SETTING_HOME]);
}

/* What a sandbox that runs sees of a change. */
static void refreshed(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct error e = {0};

	ADD("ExpireAfter=1h");
	put_in(home, PERSON, "[Session]\nLinger=6s\n");
	put_in(dir, PROJECT, "[Session]\nMaxSessions=9\n");
	p = LOAD("TmpInodes=77");
	/* neither of the two files is asked again */
	drop_in(home, PERSON);
	put_in(dir, PROJECT, "garbage");
	set_ok(false, "ExpireAfter=");
	set_ok(false, "AllowUsers=alice");
	set_ok(false, "Network=full");
	put(conf, "[Session]\nMaxSessions=20\nLinger=5s\n");
	assert_int_equal(policy_refresh(p, &e), 0);
	assert_int_equal(policy_expires(p), UINT64_MAX);
	assert_string_equal(policy_text(p, SETTING_ALLOW_USERS), "alice");
	assert_string_equal(policy_choice(p, SETTING_NETWORK), "none");
	assert_int_equal(policy_number(p, SETTING_TMP_INODES), 77);
	assert_int_equal(policy_number(p, SETTING_MAX_SESSIONS), 9);
	assert_int_equal(policy_number(p, SETTING_LINGER), 6);
	set_ok(false, "MaxSessions=10");
	assert_int_equal(policy_refresh(p, &e), 0);
	assert_int_equal(policy_number(p, SETTING_MAX_SESSIONS), 10);
	put(conf, "garbage");
	assert_int_equal(policy_refresh(p, &e), -EBADMSG);
	assert_int_equal(policy_number(p, SETTING_MAX_SESSIONS), 10);
	unlink(conf);
	assert_int_equal(project_destroy("app", &e), 0);
	assert_int_equal(policy_refresh(p, &e), -ENOENT);
	ADD();
}

static void owners(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct person who = {.uid = person_uid, .name = "tester"};

	ADD("AllowUsers=alice");
	p = LOAD();
	assert_true(policy_may_enter(p, &who));
	who.uid = 0;
	assert_true(policy_may_enter(p, &who));
	who.uid = 4242;
	assert_false(policy_may_enter(p, &who));
	strcpy(who.name, "alice");
	assert_true(policy_may_enter(p, &who));
	strcpy(who.name, "bob");
	assert_false(policy_may_enter(p, &who));
	/* root's group: gid 0 */
	set_ok(false, "AllowGroups=root no-such-group");
	policy_free(p);
	p = LOAD();
	who.gid = 4242;
	assert_false(policy_may_enter(p, &who));
	who.gid = 0;
	assert_true(policy_may_enter(p, &who));
	/* the uid has another name now */
	person_name = "somebody-else";
	expect_error(-EKEYREJECTED, "is not user 'tester' any more");
}

/* A directory of the person's in her home. */
static void make_dir(const char *name, char ret_path[static 300])
{
	snprintf(ret_path, 300, "%s/%s", home, name);
	assert_true(mkdir(ret_path, 0755) == 0 || errno == EEXIST);
	assert_int_equal(chown(ret_path, person_uid, person_gid), 0);
}

static void binds(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	char data[300], other[300], want[700];
	struct bind_spec b;
	struct error e;

	make_dir("data", data);
	make_dir("a b", other);
	snprintf(want, sizeof(want), "Bind=~/data '%s:/mnt/c'", other);
	ADD(want, "BindReadOnly=~:/mnt/home", "Hide=.env ~/.aws ~");
	p = LOAD();
	snprintf(want, sizeof(want), ".env %s/.aws %s", home, home);
	assert_string_equal(policy_text(p, SETTING_HIDE), want);
	assert_int_equal(policy_bind(p, SETTING_BIND, 0, &b, &e), 0);
	assert_string_equal(b.source, data);
	assert_string_equal(b.destination, data);
	assert_int_equal(policy_bind(p, SETTING_BIND, 1, &b, &e), 0);
	assert_string_equal(b.source, other);
	assert_string_equal(b.destination, "/mnt/c");
	assert_int_equal(policy_bind(p, SETTING_BIND, 2, &b, &e), -ENOENT);
	assert_int_equal(policy_bind(p, SETTING_BIND_READ_ONLY, 0, &b, &e), 0);
	assert_string_equal(b.source, home);
	assert_int_equal(policy_bind(p, SETTING_HIDE, 0, &b, &e), -ENOENT);
	policy_free(p);
	/* a home below /var is no destination */
	snprintf(want, sizeof(want), "%s", home);
	strcpy(home, "/var/lib/someone");
	p = load_with(NULL, POLICY_TRUSTED_ONLY);
	strcpy(home, want);
	assert_int_equal(policy_bind(p, SETTING_BIND, 0, &b, &e), -EINVAL);
}

static void binds_that_do_not_fit(void **state)
{
	char data[300], text[700];
	struct error e = {0};
	const struct {
		const char *source, *destination, *why;
		bool read_only;
	} bad[] = {
		{dir, "/mnt/x", "a second time", false},
		{top, "/mnt/x", "a second time", false},
		{data, dir, "in front of", false},
		{data, top, "in front of", true},
		{"/not/there", "/mnt/x", "/not/there", true},
	};

	make_dir("data", data);
	ADD("TmpSize=1G");
	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		char *const set[] = {text, NULL};

		snprintf(text, sizeof(text), "Bind%s='%s:%s'", bad[i].read_only ? "ReadOnly" : "",
			bad[i].source, bad[i].destination);
		assert_int_equal(project_change("app", person_uid, set, true, NULL, &e), -EINVAL);
		assert_non_null(strstr(e.text, bad[i].why));
	}
}

static void expiry(void **state)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	uint64_t now = (uint64_t)time(NULL);

	ADD("ExpireAfter=1h");
	p = LOAD();
	assert_in_range(policy_expires(p), now + 3600, now + 3605);
}

static void the_administrators_two(void **state)
{
	uint64_t n = 0;
	char *text = NULL;
	struct error e;

	assert_int_equal(admin_setting(SETTING_MAX_PROJECTS, &n, &text, &e), 0);
	assert_int_equal(n, 100);
	assert_string_equal(text, "100");
	free(text);
	put(conf, "[Admin]\nMaxProjects=3\nAllowAdd=no\n");
	assert_int_equal(admin_setting(SETTING_MAX_PROJECTS, &n, NULL, &e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(admin_setting(SETTING_ALLOW_ADD, &n, NULL, &e), 0);
	assert_int_equal(n, 0);
	put(conf, "[Admin]\nMaxProjects=three\n");
	assert_int_equal(admin_setting(SETTING_MAX_PROJECTS, &n, NULL, &e), -EBADMSG);
	assert_int_equal(e.code, -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_project),
		TEST(defaults),
		TEST(precedence),
		TEST(a_projects_file_only_tightens),
		TEST(lists_of_layers),
		TEST(the_administrators_bounds),
		TEST(what_is_the_administrators),
		TEST(nothing_is_changed_by_an_error),
		TEST(refreshed),
		TEST(owners),
		TEST(binds),
		TEST(binds_that_do_not_fit),
		TEST(expiry),
		TEST(the_administrators_two),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
