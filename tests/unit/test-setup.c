/* What setup writes into the host's files, and that unsetup leaves them as they were. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "launcher/clsecure/host.h"
#include "launcher/clsecure/nsswitch.h"
#include "launcher/clsecure/sshd.h"

#define BELOW(kind) \
	kind "\t[success=2 default=ignore]\tpam_succeed_if.so quiet uid < " UID_BELOW "\t# clsecure\n"
#define ABOVE(kind) \
	kind "\t[success=1 default=ignore]\tpam_succeed_if.so quiet uid > " UID_ABOVE "\t# clsecure\n"
#define OURS(kind, control) \
	BELOW(kind) ABOVE(kind) kind "\t" control "\tpam_clsecure.so\t# clsecure\n"

static void round_trips(void **state)
{
	static const char *const texts[] = {"", "\n", "a", "a\n", "a\nb", "\n\n a \n"};

	for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
		_cleanup_(lines_done) struct lines l = {0};
		_cleanup_free_ char *text = NULL;

		assert_int_equal(lines_parse(texts[i], strlen(texts[i]), &l), 0);
		assert_int_equal(lines_insert(&l, l.n, "x " LINES_MARK), 0);
		lines_strip(&l);
		assert_int_equal(lines_text(&l, &text), 0);
		assert_string_equal(text, texts[i]);
	}
}

static void bad_texts(void **state)
{
	static char big[LINES_FILE_MAX + 1];
	struct lines l = {0};

	assert_int_equal(lines_parse("a\0b", 3, &l), -EBADMSG);
	memset(big, '\n', sizeof(big));
	assert_int_equal(lines_parse(big, sizeof(big), &l), -EFBIG);
	assert_null(l.line);
}

static void marks(void **state)
{
	assert_true(line_is_ours("x\t# clsecure"));
	assert_true(line_is_ours("x # clsecure \t"));
	assert_false(line_is_ours("# clsecure"));
	assert_false(line_is_ours("x# clsecure"));
	assert_false(line_is_ours("x # clsecure was here"));
	assert_false(line_is_ours(""));
}

static void diffs(void **state)
{
	_cleanup_free_ char *same = NULL, *one = NULL, *made = NULL, *two = NULL;

	assert_int_equal(text_diff("/f", "a\nb\n", "a\nb\n", &same), 0);
	assert_string_equal(same, "");
	assert_int_equal(text_diff("/f", "1\n2\n3\n4\n5\n", "1\n2\n3\n4\nx\n5\n", &one), 0);
	assert_string_equal(one, "--- /f\n+++ /f\n@@ -2,4 +2,5 @@\n 2\n 3\n 4\n+x\n 5\n");
	assert_int_equal(text_diff("/f", NULL, "a\n", &made), 0);
	assert_string_equal(made, "--- /dev/null\n+++ /f\n@@ -0,0 +1,1 @@\n+a\n");
	assert_int_equal(text_diff("/f", "a\n1\n2\n3\n4\n5\n6\n7\nb", "1\n2\n3\n4\n5\n6\n7\nc",
				 &two),
		0);
	assert_string_equal(two, "--- /f\n+++ /f\n@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n"
				 "@@ -6,4 +5,4 @@\n 5\n 6\n 7\n-b\n\\ No newline at end of file\n"
				 "+c\n\\ No newline at end of file\n");
}

static const struct {
	const char *before, *after; /* NULL: refused */
} switches[] = {
	{"passwd: files\ngroup: files\nshadow: files\n",
		"passwd: files clsecure\ngroup: files clsecure\nshadow: files clsecure\n"},
	{"passwd:         files systemd # x\ngroup: files [SUCCESS=merge] systemd\nshadow:files",
		"passwd:         files systemd clsecure # x\ngroup: files [SUCCESS=merge] systemd "
		"clsecure\nshadow:files clsecure"},
	{"passwd: files sss [NOTFOUND=return] ldap\ngroup: files\nshadow: files\n",
		"passwd: files clsecure sss [NOTFOUND=return] ldap\ngroup: files clsecure\nshadow: "
		"files clsecure\n"},
	{"passwd: files sss [!unavail=return] ldap\ngroup: files\nshadow: files\n",
		"passwd: files clsecure sss [!unavail=return] ldap\ngroup: files clsecure\nshadow: "
		"files clsecure\n"},
	{"passwd: files [SUCCESS=return] ldap\ngroup: files\nshadow: files\n",
		"passwd: files [SUCCESS=return] ldap clsecure\ngroup: files clsecure\nshadow: "
		"files clsecure\n"},
	{"passwd: files [NOTFOUND=return] ldap\ngroup: files\nshadow: files\n", NULL},
	{"passwd: files\ngroup: files\n",
		"passwd: files clsecure\ngroup: files clsecure\nshadow: files clsecure # "
		"clsecure\n"},
	{"#passwd: x\npasswd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
		"#passwd: x\npasswd: files clsecure\ngroup: files clsecure\nshadow: files "
		"clsecure\nhosts: files dns\n"},
};

static char *edit_switch(const char *text, bool add)
{
	_cleanup_(lines_done) struct lines l = {0};
	char *result = NULL;

	assert_int_equal(lines_parse(text, strlen(text), &l), 0);
	if (nsswitch_edit(&l, add, NULL) < 0)
		return NULL;
	assert_int_equal(lines_text(&l, &result), 0);
	return result;
}

static void nsswitch(void **state)
{
	for (size_t i = 0; i < ELEMENTSOF(switches); i++) {
		_cleanup_free_ char *on = edit_switch(switches[i].before, true);
		_cleanup_free_ char *again = NULL, *off = NULL;

		if (!switches[i].after) {
			assert_null(on);
			continue;
		}
		assert_string_equal(on, switches[i].after);
		again = edit_switch(on, true);
		assert_string_equal(again, on);
		off = edit_switch(on, false);
		assert_string_equal(off, switches[i].before);
	}
}

static void nsswitch_by_hand(void **state)
{
	_cleanup_free_ char *on = edit_switch("passwd: clsecure files [NOTFOUND=return] x\n"
		"group: clsecure files\nshadow: files clsecure\n", true);
	_cleanup_(lines_done) struct lines l = {0};
	const char *bad = "passwd: files [NOTFOUND=return] clsecure\ngroup: files\n";

	assert_string_equal(on,
		"passwd: clsecure files [NOTFOUND=return] x\ngroup: clsecure files\nshadow: files "
		"clsecure\n");
	assert_int_equal(lines_parse(bad, strlen(bad), &l), 0);
	assert_int_equal(nsswitch_check(&l, "passwd"), -EOPNOTSUPP);
	assert_int_equal(nsswitch_check(&l, "group"), -ENOENT);
	assert_int_equal(nsswitch_check(&l, "shadow"), -ENOENT);
}

#define COMMON "session\trequired\tpam_unix.so\n# end of pam-auth-update config\n"

static void add(struct pam_dir *d, const char *name, const char *text)
{
	assert_int_equal(pam_dir_add(d, name, text, strlen(text), false, NULL), 0);
}

static void debian(struct pam_dir *d)
{
	add(d, "common-session", COMMON "session optional pam_local.so\n");
	add(d, "common-session-noninteractive", COMMON);
	add(d, "common-account", "account required pam_unix.so\n");
	add(d, "common-auth", "auth required pam_unix.so\n");
	add(d, "other", "@include common-auth\n@include common-account\n@include common-session\n");
	add(d, "su", "auth sufficient pam_rootok.so\n# x\nsession required pam_env.so\n"
		     "@include common-auth\n@include common-account\n@include common-session\n");
	add(d, "su-l",
		"auth include su\naccount include su\nsession optional pam_keyinit.so force "
		"revoke\nsession include su\n");
	add(d, "runuser", "auth sufficient pam_rootok.so\nsession required pam_unix.so\n");
	add(d, "runuser-l",
		"auth include runuser\n-session optional pam_systemd.so\nsession include "
		"runuser\n");
	add(d, "cron",
		"@include common-auth\n@include common-account\n@include "
		"common-session-noninteractive\nsession required pam_limits.so\n");
	add(d, "odd", "account required pam_permit.so\nsession \\\n required pam_permit.so");
	add(d, "passwd", "@include common-password\n");
	add(d, "common-password", "password required pam_unix.so\n");
}

static void assert_file(const struct pam_dir *d, const char *name, const char *text)
{
	_cleanup_free_ char *now = NULL;

	assert_non_null(pam_dir_find(d, name));
	assert_int_equal(lines_text(&pam_dir_find(d, name)->lines, &now), 0);
	assert_string_equal(now, text);
}

static void pam_lines(void **state)
{
	_cleanup_(pam_dir_done) struct pam_dir d = {0}, before = {0};
	struct pam_cover c;

	debian(&d);
	debian(&before);
	for (int i = 0; i < 2; i++) { /* twice: as once */
		assert_int_equal(pam_edit(&d, "pam_clsecure.so", NULL), 0);
		assert_file(&d, "common-session",
			COMMON "session optional pam_local.so\n" OURS("session", "required"));
		assert_file(&d, "su",
			"auth sufficient pam_rootok.so\n# x\nsession required pam_env.so\n"
			OURS("auth", "sufficient")
			"@include common-auth\n@include common-account\n@include common-session\n");
		assert_file(&d, "su-l",
			"auth include su\naccount include su\nsession optional pam_keyinit.so "
			"force revoke\nsession include su\n");
		assert_file(&d, "runuser",
			"auth sufficient pam_rootok.so\nsession required pam_unix.so\n" OURS(
				"session", "required"));
		assert_file(&d, "passwd", "@include common-password\n");
	}
	for (size_t i = 0; i < d.n; i++) {
		if (!pam_is_service(d.file[i].name))
			continue;
		assert_int_equal(pam_cover(&d, d.file[i].name, PAM_KIND_SESSION, &c, NULL), 0);
		assert_true(c.ours);
		assert_false(c.changed);
		assert_string_equal(c.after, "");
	}
	assert_int_equal(pam_edit(&d, NULL, NULL), 0);
	for (size_t i = 0; i < d.n; i++) {
		_cleanup_free_ char *text = NULL;

		assert_int_equal(lines_text(&before.file[i].lines, &text), 0);
		assert_file(&d, before.file[i].name, text);
	}
}

/* Each must be told: a line too little, a control too weak, guards for the wrong uids. */
static void pam_changed(void **state)
{
	static const char *const wrong[] = {
		"session required pam_clsecure.so\n",
		BELOW("session") "session required pam_clsecure.so\n",
		BELOW("session") ABOVE("session") "session optional pam_clsecure.so\n",
		"session [success=1 default=ignore] pam_succeed_if.so quiet uid < " UID_BELOW "\n"
		ABOVE("session") "session required pam_clsecure.so\n",
		"session [success=2 default=ignore] pam_succeed_if.so quiet uid < " UID_ABOVE "\n"
		ABOVE("session") "session required pam_clsecure.so\n",
	};
	struct pam_cover c;

	for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
		_cleanup_(pam_dir_done) struct pam_dir d = {0};

		add(&d, "x", wrong[i]);
		assert_int_equal(pam_cover(&d, "x", PAM_KIND_SESSION, &c, NULL), 0);
		assert_true(c.ours && c.changed);
	}
}

static void pam_odd(void **state)
{
	_cleanup_(pam_dir_done) struct pam_dir d = {0};
	struct error e = {0};
	struct pam_cover c;

	add(&d, "loop", "@include loop\n");
	add(&d, "lost", "session include nowhere\n");
	add(&d, "none", "auth required pam_deny.so\n");
	add(&d, "late", OURS("session", "required") "session optional pam_exec.so /x\n");
	assert_int_equal(pam_cover(&d, "loop", PAM_KIND_SESSION, &c, &e), -ELOOP);
	assert_int_equal(pam_cover(&d, "lost", PAM_KIND_SESSION, &c, &e), -ENOENT);
	assert_int_equal(pam_cover(&d, "none", PAM_KIND_SESSION, &c, &e), 0);
	assert_false(c.ours);
	assert_int_equal(c.modules, 0);
	assert_int_equal(pam_cover(&d, "late", PAM_KIND_SESSION, &c, &e), 0);
	assert_string_equal(c.after, "pam_exec.so");
	assert_int_equal(pam_edit(&d, "pam_clsecure.so", &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "common-session"));
	assert_false(pam_is_service("common-auth"));
	assert_false(pam_is_service("su.dpkg-dist"));
	assert_false(pam_is_service("su~"));
	assert_true(pam_is_service("polkit-1"));
}

static void sshd_includes(void **state)
{
	static const char *const good[] = {"Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
		"# x\n include sshd_config.d/*\n",
		"Include=/etc/ssh/sshd_config.d/*.conf\nMatch all\n"};
	static const char *const bad[] = {"", "#Include /etc/ssh/sshd_config.d/*.conf\n",
		"Match all\nInclude /etc/ssh/sshd_config.d/*.conf\n",
		"Include /etc/ssh/other.d/*.conf\n",
		"Include /etc/ssh/sshd_config.d/*.conf\nUsePAM no\n"};

	for (size_t i = 0; i < ELEMENTSOF(good); i++)
		assert_int_equal(sshd_config_check(good[i], NULL), 0);
	for (size_t i = 0; i < ELEMENTSOF(bad); i++)
		assert_int_equal(sshd_config_check(bad[i], NULL), -EOPNOTSUPP);
}

static void sshd_judges(void **state)
{
	static const char fine[] =
		"usepam yes\nauthorizedkeyscommanduser root\npasswordauthentication no\n"
		"authenticationmethods publickey\nforcecommand none\ndisableforwarding yes\n";
	struct error e = {0};

	assert_int_equal(sshd_judge(fine, "claude", &e), 0);
	assert_int_equal(sshd_judge("usepam no\n", "claude", &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "usepam"));
	assert_int_equal(sshd_judge("usepam yes\nforcecommand /x\n", "claude", &e), -EOPNOTSUPP);
	assert_int_equal(sshd_judge("usepam yes\nforcecommand /x\n", "claude-worker-x", &e), 0);
	assert_int_equal(sshd_judge("authorizedkeyscommand /bin/evil\n", "claude-worker-x", &e),
		-EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(bad_texts),
		cmocka_unit_test(marks),
		cmocka_unit_test(diffs),
		cmocka_unit_test(nsswitch),
		cmocka_unit_test(nsswitch_by_hand),
		cmocka_unit_test(pam_lines),
		cmocka_unit_test(pam_changed),
		cmocka_unit_test(pam_odd),
		cmocka_unit_test(sshd_includes),
		cmocka_unit_test(sshd_judges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
