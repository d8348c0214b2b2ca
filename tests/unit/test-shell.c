/*
 * clsecure-shell: what the doors ask, what the sandbox says of itself, the environment made of
 * both.
 */
#include "config.h"
#include "tests/unit/unit.h"
#include "launcher/clsecure-shell/check.h"
#include "launcher/clsecure-shell/command.h"
#include "launcher/clsecure-shell/environ.h"
#include "lib/sandbox/environment.h"

#include <errno.h>

#define HEAD "@version=1\0@project=app\0@path=/srv/app\0@shell=/bin/bash\0"

static int parse(const char *text, size_t size, struct inside *ret_inside, struct error *e)
{
	char *copy = malloc(size + 1);
	int err;

	memcpy(copy, text, size);
	err = inside_parse(copy, size, ret_inside, e);
	if (err < 0)
		free(copy);
	return err;
}

static const struct {
	const char *argv[5];
	struct command want;
} commands[] = {
	{{"clsecure-shell"}, {false, false, false}},
	{{"-clsecure-shell"}, {true, false, false}},
	{{"clsecure-shell", "-c", "id"}, {false, true, false}},
	{{"-clsecure-shell", "-c", "id"}, {true, true, false}},
	{{"clsecure-shell", "-lc", "id"}, {true, true, false}},
	{{"clsecure-shell", "-l"}, {true, false, false}},
	{{"clsecure-shell", "--login", "-i"}, {true, false, true}},
	{{"clsecure-shell", "-o", "vi"}, {false, false, false}},
	{{"clsecure-shell", "--rcfile", "f"}, {false, false, false}},
	{{"clsecure-shell", "script"}, {false, true, false}},
	{{"clsecure-shell", "--", "script"}, {false, true, false}},
	{{"clsecure-shell", "-"}, {false, false, false}},
	{{"clsecure-shell", "-c", "-i", "-l"}, {false, true, false}},
	{{"clsecure-shell", "+o", "vi", "-c", "id"}, {false, true, false}},
	{{""}, {false, false, false}},
};

static void test_command(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(commands); i++) {
		struct command got;
		int argc = 0;

		while (argc < 5 && commands[i].argv[argc])
			argc++;
		got = command_parse(argc, (char *const *)commands[i].argv);
		assert_int_equal(got.login, commands[i].want.login);
		assert_int_equal(got.command, commands[i].want.command);
		assert_int_equal(got.interactive, commands[i].want.interactive);
	}
	assert_false(command_parse(0, NULL).login);
}

/* No shell of whatever kind reads what `clsecure exec` was given. */
static void test_words(void **state)
{
	char *const argv[] = {(char *)"clsecure-shell", (char *)WORDS_OPTION, (char *)"-c",
		(char *)"a b", NULL};
	struct command c = command_parse(4, argv);

	assert_ptr_equal(c.words, argv + 2);
	assert_true(c.command);
	assert_false(c.login || c.interactive);
	assert_null(command_parse(2, argv).words); /* nothing to run */
	assert_null(command_parse(3, argv + 1).words);
}

static void test_argv(void **state)
{
	char *login[] = {(char *)"-clsecure-shell", (char *)"-c", (char *)"a b\n'c'", NULL};
	char *plain[] = {(char *)"clsecure-shell", NULL};
	char **got;

	assert_int_equal(command_argv("/bin/bash", 3, login, &got), 0);
	assert_string_equal(got[0], "-bash");
	assert_string_equal(got[1], "-c");
	assert_string_equal(got[2], "a b\n'c'");
	assert_null(got[3]);
	free(got[0]);
	free(got);
	assert_int_equal(command_argv("/usr/bin/zsh", 1, plain, &got), 0);
	assert_string_equal(got[0], "zsh");
	assert_null(got[1]);
	free(got[0]);
	free(got);
	assert_int_equal(command_argv("/bin/sh", 0, NULL, &got), 0);
	assert_string_equal(got[0], "sh");
	free(got[0]);
	free(got);
}

static const struct {
	const char *text;
	size_t size;
} broken[] = {
#define TEXT(s) {s, sizeof(s) - 1}
	TEXT(""),
	TEXT("@version=1"), /* no end */
	TEXT("@version=2\0@project=app\0@path=/srv/app\0@shell=/bin/bash\0"),
	TEXT("@project=app\0@path=/srv/app\0@shell=/bin/bash\0"),
	TEXT("@version=1\0@path=/srv/app\0@shell=/bin/bash\0"),
	TEXT("@version=1\0@project=../x\0@path=/srv/app\0@shell=/bin/bash\0"),
	TEXT("@version=1\0@project=app\0@path=srv\0@shell=/bin/bash\0"),
	TEXT("@version=1\0@project=app\0@path=/srv/app\0@shell=bash\0"),
	TEXT("@version=1\0@project=app\0@path=/srv/app\0"),
};

static void test_inside(void **state)
{
	struct inside in = {0};
	const char *s;

	for (size_t i = 0; i < ELEMENTSOF(broken); i++)
		assert_int_equal(parse(broken[i].text, broken[i].size, &in, NULL), -EBADMSG);
	assert_null(in.data);
	assert_int_equal(parse(HEAD "A=1\0", sizeof(HEAD "A=1\0") - 1, &in, NULL), 0);
	assert_string_equal(in.project, "app");
	assert_string_equal(in.path, "/srv/app");
	assert_string_equal(in.shell, "/bin/bash");
	assert_string_equal(inside_value(&in, "A="), "1");
	assert_null(inside_value(&in, "B="));
	s = inside_next(&in, NULL);
	assert_string_equal(s, "@version=1");
	for (int i = 0; i < 4; i++)
		s = inside_next(&in, s);
	assert_string_equal(s, "A=1");
	assert_null(inside_next(&in, s));
	inside_done(&in);
}

static void build(const char *text, size_t size, char *const *caller, struct environment *ret_env)
{
	struct inside in;

	assert_int_equal(parse(text, size, &in, NULL), 0);
	assert_int_equal(environment_build(&in, 70001, caller, ret_env), 0);
	inside_done(&in);
}

#define assert_variable(env, name, value) assert_string_equal(environment_get((env).v, name), value)

static void test_environment(void **state)
{
	static const char text[] = HEAD "EDITOR=vi\0PATH=/opt/x:/bin\0ANTHROPIC_*\0TOKEN\0";
	const char *const caller[] = {
		"TERM=xterm", "LC_ALL=C", "LANGUAGE=de", "HOME=/root", "USER=root", "LOGNAME=root",
		"SHELL=/bin/sh", "PATH=/tmp/evil", "LD_PRELOAD=/tmp/evil.so", "EDITOR=ed",
		"ANTHROPIC_API_KEY=k", "TOKEN=t", "TOKENS=no",
		"SSH_CONNECTION=a 1 b 2",
		"SSH_ASKPASS=/tmp/evil", "BASH_ENV=/tmp/evil", "CLSECURE_PROJECT=other",
		"CLSECURE_SESSION=app:12", "CLSECURE_START=project", "XDG_RUNTIME_DIR=/run/user/0",
		"BASH_FUNC_x%%=() { :; }",
		"=x",
		"noequals",
		NULL,
	};
	struct environment env;

	build(text, sizeof(text) - 1, (char *const *)caller, &env);
	assert_variable(env, "HOME", "/home/claude-worker-app");
	assert_variable(env, "USER", "claude-worker-app");
	assert_variable(env, "LOGNAME", "claude-worker-app");
	assert_variable(env, "SHELL", "/bin/bash");
	assert_variable(env, "PATH", "/opt/x:/bin");
	assert_variable(env, "XDG_RUNTIME_DIR", "/run/user/70001");
	assert_variable(env, "CLSECURE_PROJECT", "app");
	assert_variable(env, "CLSECURE_SESSION", "app:12");
	assert_variable(env, "EDITOR", "vi");
	assert_variable(env, "TERM", "xterm");
	assert_variable(env, "LC_ALL", "C");
	assert_variable(env, "ANTHROPIC_API_KEY", "k");
	assert_variable(env, "TOKEN", "t");
	assert_variable(env, "SSH_CONNECTION", "a 1 b 2");
	/* And nothing else: 14 names. */
	assert_int_equal(env.n, 14);
	environment_done(&env);
}

/* A session of another project, or something else, is nobody's. */
static void test_session(void **state)
{
	const char *const bad[] = {
		"app:", "app", "other:1", "app:1x", "app:-1", "app:12345678901", "app:1\n", "",
	};

	for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
		char variable[64];
		char *const caller[] = {variable, NULL};
		struct environment env;

		snprintf(variable, sizeof(variable), "CLSECURE_SESSION=%s", bad[i]);
		build(HEAD, sizeof(HEAD) - 1, caller, &env);
		assert_null(environment_get(env.v, "CLSECURE_SESSION"));
		environment_done(&env);
	}
}

/* Too many or too long: refused whole or left out, never cut. */
static void test_bounds(void **state)
{
	char *caller[ENVIRON_MAX + 2] = {NULL}, *huge = malloc(40 * 1024);
	struct environment env = {.n = 77};
	struct inside in;

	memset(huge, 'x', 40 * 1024 - 1);
	memcpy(huge, "TERM=", 5);
	huge[40 * 1024 - 1] = '\0';
	caller[0] = huge;
	build(HEAD, sizeof(HEAD) - 1, caller, &env);
	assert_null(environment_get(env.v, "TERM"));
	environment_done(&env);
	free(huge);
	for (int i = 0; i < ENVIRON_MAX + 1; i++)
		assert_true(asprintf(&caller[i], "LC_%d=x", i) > 0);
	assert_int_equal(parse(HEAD, sizeof(HEAD) - 1, &in, NULL), 0);
	env.n = 77;
	assert_int_equal(environment_build(&in, 70001, caller, &env), -E2BIG);
	assert_int_equal(env.n, 77);
	inside_done(&in);
	for (int i = 0; i < ENVIRON_MAX + 1; i++)
		free(caller[i]);
}

/* Here, where no sandbox is, every check must say no. */
static void test_refused_here(void **state)
{
	struct inside in;
	struct error e = {0};

	assert_int_equal(check_privileges(&e), -EPERM);
	assert_true(strlen(e.text) > 0);
	assert_int_equal(parse(HEAD, sizeof(HEAD) - 1, &in, NULL), 0);
	assert_int_equal(check_namespaces(&in, &e), -EPERM);
	inside_done(&in);
	assert_true(inside_read(&in, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_command), cmocka_unit_test(test_argv),
		cmocka_unit_test(test_inside), cmocka_unit_test(test_environment),
		cmocka_unit_test(test_session), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_refused_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
