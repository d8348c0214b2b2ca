/* find, list, info, sessions: what a person may see. */
#include "config.h"
#include "launcher/clsecure-keys/keyindex.h"
#include "launcher/clsecured/worker-home.h"
#include "launcher/clsecured/projects.h"
#include "lib/sandbox/findings.h"
#include "lib/sandbox/toolchains.h"

#include <errno.h>

#define KEYS_MS 400

#define SIZE_MS 2000 /* for the home of one project */

struct pair {
	const char *key, *value;
};

static int row(struct request *r, const struct pair *pairs, size_t n)
{
	_cleanup_message_ struct message m = {0};
	int err = 0;

	for (size_t i = 0; err == 0 && i < n; i++)
		err = message_add(&m, pairs[i].key, pairs[i].value);
	return err < 0 ? err : reply(r, "row", &m);
}

static int describe(struct message *m, const struct policy *p)
{
	char user[WORKER_NAME_MAX + 1];
	const struct pair pairs[] = {
		{"project", policy_slug(p)},
		{"user", user},
		{"path", policy_path(p)},
		{"owner", policy_owner(p)->name},
		{"network", policy_choice(p, SETTING_NETWORK)},
		{"workspace", policy_choice(p, SETTING_WORKSPACE)},
		{"mode", policy_choice(p, SETTING_MODE)},
	};
	int err = 0;

	worker_name(policy_slug(p), user);
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(pairs); i++)
		err = message_add(m, pairs[i].key, pairs[i].value);
	return err;
}

static int warn(struct request *r, const struct policy *p)
{
	char *const *warnings = policy_warnings(p);
	int err = 0;

	for (size_t i = 0; err == 0 && warnings && warnings[i]; i++)
		err = note(r, "%s", warnings[i]);
	return err;
}

/*
 * What the keeper has found is told to the owner, once: not to others who may enter, and not to
 * root.
 */
static void tell_findings(struct request *r, const struct policy *p)
{
	_cleanup_free_ char *text = NULL;

	if (policy_owner(p)->uid != r->who.uid ||
		findings_read(policy_slug(p), true, &text, NULL) < 0)
		return;
	for (char *line = text, *end; *line; line = end) {
		size_t n = strcspn(line, "\n");
		const char *tab = memchr(line, '\t', n);

		end = line + n + (line[n] == '\n');
		if (tab &&
			note(r, "project '%s': %.*s", policy_slug(p), (int)(line + n - tab - 1),
				tab + 1) < 0)
			return;
	}
}

/* For a client whose session has just ended. */
int op_findings(struct request *r, struct error *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	char slug[SLUG_MAX + 1];
	int err = project_named(r, slug, e);

	if (err == 0)
		err = project_for(r, slug, RIGHT_ENTER, NULL, POLICY_TRUSTED_ONLY, &p, e);
	if (err == 0)
		tell_findings(r, p);
	return err;
}

/* Claude Code as the owner has it. */
static int add_claude(const struct policy *p, struct message *m, struct error *e)
{
	_cleanup_(toolchains_done) struct toolchains t = {0};
	bool all = streq(policy_choice(p, SETTING_TOOLCHAINS), "auto");
	int err = toolchains_find(policy_owner(p), policy_path(p), all ? TOOLCHAINS_ALL : 0, &t, e);

	if (err == 0 && (t.claude || t.claude_system))
		err = message_add(m, "claude", t.claude ?: "claude");
	return err;
}

/* The effective policy with this run's settings: what a client needs to know before it opens. */
int op_find(struct request *r, struct error *e)
{
	_cleanup_free_ char **overrides = message_list(r->m, "setting", NULL);
	_cleanup_message_ struct message m = {0};
	_cleanup_policy_ struct policy *p = NULL;
	char slug[SLUG_MAX + 1];
	char *const *names;
	size_t n = 0;
	int err = project_named(r, slug, e);

	if (err == 0)
		err = project_for(r, slug, RIGHT_ENTER, overrides, 0, &p, e);
	if (err < 0)
		return err;
	err = describe(&m, p);
	names = policy_list(p, SETTING_PASS_ENV, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = message_add(&m, "pass-env", names[i]);
	if (err == 0)
		err = message_add(&m, "command", policy_text(p, SETTING_COMMAND));
	names = policy_list(p, SETTING_SET_ENV, &n);
	for (size_t i = 0; err == 0 && i < n; i++)
		err = message_addf(&m, "set-env", "%.*s", (int)strcspn(names[i], "="), names[i]);
	if (err == 0 && !*policy_text(p, SETTING_COMMAND))
		err = add_claude(p, &m, e);
	tell_findings(r, p);
	if (err == 0 && home_logged_in(slug))
		err = message_add(&m, "logged-in", "1");
	return err < 0 ? err : reply(r, "row", &m);
}

static int list_one(struct request *r, const char *slug, bool sizes)
{
	_cleanup_free_ struct keeper_reply *sessions = NULL;
	_cleanup_message_ struct message m = {0};
	_cleanup_policy_ struct policy *p = NULL;
	uint64_t bytes;
	size_t n = 0;
	int err;

	if (policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) < 0) {
		const struct pair broken[] = {{"project", slug}, {"broken", "1"}};

		return r->admin ? row(r, broken, ELEMENTSOF(broken)) : 0;
	}
	if (!r->admin && !policy_may_enter(p, &r->who))
		return 0;
	if (!r->admin && message_is(r->m, "own", "1") && policy_owner(p)->uid != r->who.uid)
		return 0;
	tell_findings(r, p);
	err = describe(&m, p);
	if (err == 0 && project_sessions(slug, &sessions, &n, NULL) == 0)
		err = message_addf(&m, "sessions", "%zu", n);
	if (err == 0 && sizes && home_size(slug, SIZE_MS, &bytes) == 0)
		err = message_addf(&m, "size", "%llu", (unsigned long long)bytes);
	return err < 0 ? err : reply(r, "row", &m);
}

int op_list(struct request *r, struct error *e)
{
	_cleanup_(strv_freep) char **slugs = NULL;
	int err = projects_list(&slugs, e);

	/* A person who looks has perhaps a new key: the gateway finds it from now on. */
	if (!r->admin && !r->gateway)
		(void)keyindex_person(KEYINDEX_DIR, &r->who, KEYS_MS, NULL);
	/* Wrong lines of the administrator's hide whose a project is; that is not to have none. */
	if (err == 0 && !r->admin)
		err = admin_setting(SETTING_ALLOW_SERVICES, NULL, NULL, e);
	for (size_t i = 0; err == 0 && slugs[i]; i++)
		err = list_one(r, slugs[i], message_is(r->m, "sizes", "1"));
	return err;
}

static int info_setting(struct request *r, const struct policy *p, enum setting s)
{
	const struct pair pairs[] = {
		{"section", settings[s].section},
		{"key", settings[s].key},
		{"value", policy_text(p, s)},
		{"source", policy_source_text(p, s)},
	};

	return row(r, pairs, ELEMENTSOF(pairs));
}

int op_info(struct request *r, struct error *e)
{
	_cleanup_free_ char **overrides = message_list(r->m, "setting", NULL);
	_cleanup_message_ struct message m = {0};
	_cleanup_policy_ struct policy *p = NULL;
	char slug[SLUG_MAX + 1];
	int err = project_named(r, slug, e);

	if (err == 0)
		err = project_for(r, slug, RIGHT_ENTER, overrides, 0, &p, e);
	if (err == 0)
		tell_findings(r, p);
	if (err == 0)
		err = describe(&m, p);
	if (err == 0)
		err = reply(r, "row", &m);
	for (enum setting s = 0; err == 0 && s < SETTING_COUNT_; s++)
		if (setting_built(s) && s != SETTING_ALLOW_ADD && s != SETTING_MAX_PROJECTS &&
			s != SETTING_PATH && s != SETTING_OWNER)
			err = info_setting(r, p, s);
	return err < 0 ? err : warn(r, p);
}

static int session_row(struct request *r, const char *slug, const struct keeper_reply *s)
{
	char id[SLUG_MAX + 16], since[24], holder[16];
	const struct pair pairs[] = {
		{"session", id},
		{"project", slug},
		{"door", s->service},
		{"from", s->host},
		{"who", s->who},
		{"tty", s->tty},
		{"since", since},
		{"pid", holder},
	};

	snprintf(id, sizeof(id), "%s:%u", slug, s->session);
	snprintf(since, sizeof(since), "%llu", (unsigned long long)s->since);
	snprintf(holder, sizeof(holder), "%d", s->holder);
	return row(r, pairs, ELEMENTSOF(pairs));
}

static int sessions_of(struct request *r, const char *slug, struct error *e)
{
	_cleanup_free_ struct keeper_reply *list = NULL;
	size_t n = 0;
	int err = project_sessions(slug, &list, &n, e);

	for (size_t i = 0; err == 0 && i < n; i++)
		err = session_row(r, slug, &list[i]);
	return err;
}

static int sessions_of_all(struct request *r, struct error *e)
{
	_cleanup_(strv_freep) char **slugs = NULL;
	int err = projects_list(&slugs, e);

	for (size_t i = 0; err == 0 && slugs[i]; i++) {
		_cleanup_policy_ struct policy *p = NULL;

		if (policy_load(slugs[i], NULL, POLICY_TRUSTED_ONLY, &p, NULL) == 0 &&
		    (r->admin || policy_may_enter(p, &r->who)))
			err = sessions_of(r, slugs[i], e);
	}
	return err;
}

int op_sessions(struct request *r, struct error *e)
{
	_cleanup_policy_ struct policy *p = NULL;
	char slug[SLUG_MAX + 1];
	int err;

	if (!message_get(r->m, "project") && !message_get(r->m, "path"))
		return sessions_of_all(r, e);
	err = project_named(r, slug, e);
	if (err == 0)
		err = project_for(r, slug, RIGHT_ENTER, NULL, POLICY_TRUSTED_ONLY, &p, e);
	return err < 0 ? err : sessions_of(r, slug, e);
}
