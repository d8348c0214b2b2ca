/*
 * Theory of operation.  Everything that can fail and be undone comes first: the keeper is asked,
 * the relay of a terminal is started, made ready and holds still.  Until then the caller is what it
 * was: what was opened is closed again, no signal, id, namespace or directory was changed.  Then
 * comes sandbox_enter(); after it the only answers are yes and no, and a no leaves a process that
 * stands half inside, which its program ends.
 *
 * The caller itself stays in its PID namespace, only its children are inside.  Doors fork before
 * they exec the user's program; for systemd's executor, which does not, executor.h forks here. 
 * What else execs without a fork reaches clsecure-shell, which forks.
 *
 * The state belongs to the process that opened the session: PAM handles are copied by fork, and
 * their destructors run in every copy, so the pid is in it.
 */
#include "config.h"
#include "pam_clsecure/session.h"
#include "lib/base/macros.h"
#include "lib/base/person.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/environment.h"
#include "pam_clsecure/executor.h"
#include "pam_clsecure/fork.h"
#include "pam_clsecure/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>

#define STATE "clsecure-session"

struct session {
	pid_t holder; /* 0: a process of another PID namespace */
	bool executor;
	struct sandbox sandbox;
	struct terminal terminal;
};

static void session_forget(struct session *s)
{
	terminal_forget(&s->terminal);
	sandbox_forget(&s->sandbox);
}

static void session_free(struct session *s)
{
	if (s->holder == getpid()) {
		terminal_close(&s->terminal);
		sandbox_leave(&s->sandbox);
	} else {
		session_forget(s);
	}
	free(s);
}

static void cleanup(pam_handle_t *pamh, void *data, int status)
{
	if (data)
		session_free(data);
}

/* What people see in `clsecure sessions`: copied, cleaned, never believed. */
static void describe(const struct login *l, struct keeper_request *q)
{
	struct person who;

	login_item(l, PAM_SERVICE, q->service, sizeof(q->service));
	login_item(l, PAM_TTY, q->tty, sizeof(q->tty));
	login_item(l, PAM_RHOST, q->host, sizeof(q->host));
	if (getuid() == 0) {
		login_item(l, PAM_RUSER, q->who, sizeof(q->who));
	} else if (person_by_uid(getuid(), &who, NULL) == 0) {
		snprintf(q->who, sizeof(q->who), "%s", who.name);
		person_done(&who);
	}
}

static int put_session_variable(const struct login *l, uint32_t number)
{
	char variable[64];

	snprintf(variable, sizeof(variable), SESSION_VARIABLE "=%s:%u", l->slug, number);
	return pam_putenv(l->pamh, variable) == PAM_SUCCESS ? 0 : -ENOMEM;
}

/* Everything that can be undone. */
static int prepare(const struct login *l, struct session *s, struct error *e)
{
	struct keeper_request who = {.version = KEEPER_VERSION};
	int err = terminal_look(&s->terminal, l->service, e);

	if (err < 0)
		return err;
	s->executor = executor_calls();
	describe(l, &who);
	err = sandbox_prepare(l->slug, &who, &s->sandbox, e);
	if (err < 0)
		return err;
	s->holder = getpid();
	err = terminal_prepare(&s->terminal, s->sandbox.dev, l->uid, e);
	if (err < 0)
		return err;
	err = put_session_variable(l, s->sandbox.session);
	if (err == 0)
		err = fault("pam-last");
	return err < 0 ? error_errno(e, err, "cannot open the session") : 0;
}

static int code_of(int err)
{
	return err == -EPERM || err == -EACCES || err == -EUSERS ? PAM_PERM_DENIED : PAM_SYSTEM_ERR;
}

/* Twice by one handle, or by another handle of a process that is inside already. */
static bool is_inside(const struct login *l)
{
	const void *data = NULL;
	const struct session *s;

	if (pam_get_data(l->pamh, STATE, &data) == PAM_SUCCESS && data) {
		s = data;
		if (s->holder == getpid())
			return true;
	}
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && access(INSIDE_FILE, F_OK) == 0;
}

/*
 * What audit has no login of, any process may say whose it is: the worker could name root, or a
 * person.  Not there without audit; what root may not set here the worker may not set either.
 */
static void name_for_audit(uid_t worker)
{
	_cleanup_close_ int fd = open("/proc/self/loginuid", O_RDWR | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || strtoul(text, NULL, 10) != UINT32_MAX)
		return;
	snprintf(text, sizeof(text), "%u", worker);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		return;
}

/* The point of no return, and what is behind it. */
static int enter(struct session *s, uid_t worker, struct error *e)
{
	int err;

	name_for_audit(worker);
	err = sandbox_enter(&s->sandbox, e);

	if (err == 0)
		err = terminal_enter(&s->terminal, e);
	if (err < 0 || !s->executor)
		return err;
	s->holder = 0;
	err = executor_fork(&s->sandbox, s->terminal.control, e);
	if (err == 0)
		session_forget(s);
	return err;
}

int session_open(const struct login *l)
{
	struct session *s;
	struct error e = {0};
	int err;

	if (is_inside(l))
		return login_refuse(l, PAM_PERM_DENIED, "this process is in a sandbox already");
	s = calloc(1, sizeof(*s));
	if (!s)
		return login_refuse(l, PAM_SYSTEM_ERR, "out of memory");
	s->sandbox = (struct sandbox)SANDBOX_INIT;
	s->terminal = (struct terminal)TERMINAL_INIT;
	if (pam_set_data(l->pamh, STATE, s, cleanup) != PAM_SUCCESS) {
		free(s);
		return login_refuse(l, PAM_SYSTEM_ERR, "out of memory");
	}
	err = prepare(l, s, &e);
	if (err == 0)
		err = enter(s, l->uid, &e);
	if (err == 0)
		return PAM_SUCCESS;
	pam_set_data(l->pamh, STATE, NULL, NULL);
	if (pam_getenv(l->pamh, SESSION_VARIABLE))
		pam_putenv(l->pamh, SESSION_VARIABLE);
	if (streq(l->service, "sshd"))
		fork_expire_children();
	return login_refuse(l, code_of(err), "%s", e.text);
}

int session_close(const struct login *l)
{
	const void *data = NULL;

	if (pam_get_data(l->pamh, STATE, &data) != PAM_SUCCESS || !data)
		return PAM_SUCCESS;
	/* Replacing it runs cleanup(), which knows whose it is. */
	pam_set_data(l->pamh, STATE, NULL, NULL);
	return PAM_SUCCESS;
}
