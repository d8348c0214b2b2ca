#include "config.h"
#include "launcher/clsecured/doubts.h"
#include "launcher/clsecured/projects.h"
#include "lib/policy/words.h"
#include "lib/sandbox/system.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>

#define LOOK_MS 1000

/* KEY=VALUE, KEY+=VALUE; what is taken away or back is in doubt no more. */
static bool names(char *const *assignments, enum setting s)
{
	size_t n = strlen(settings[s].key);

	for (; *assignments; assignments++)
		if (strncmp(*assignments, settings[s].key, n) == 0 &&
			((*assignments)[n] == '+' ||
				((*assignments)[n] == '=' && (*assignments)[n + 1])))
			return true;
	return false;
}

static void tell_users(struct request *r, const struct policy *p)
{
	size_t n = 0;
	char *const *users = policy_list(p, SETTING_ALLOW_USERS, &n);

	for (size_t i = 0; i < n; i++) {
		struct error why = {0};
		struct person who;
		int err = person_by_name(users[i], &who, &why);

		if (err == 0)
			person_done(&who);
		else if (err == -ENOENT || err == -EINVAL)
			(void)note(r, "AllowUsers= is set, but %s", why.text);
	}
}

static void tell_groups(struct request *r, const struct policy *p)
{
	size_t n = 0;
	char *const *groups = policy_list(p, SETTING_ALLOW_GROUPS, &n);

	for (size_t i = 0; i < n; i++) {
		errno = 0;
		if (!getgrnam(groups[i]) && (errno == 0 || errno == ENOENT))
			(void)note(r, "AllowGroups= is set, but there is no group '%s'", groups[i]);
	}
}

/* As the owner. */
static int look(void *arg, struct person_out *out, struct error *e)
{
	struct stat st;

	if (stat(arg, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return S_ISREG(st.st_mode) && access(arg, X_OK) == 0 ? 0 : -ENOENT;
}

/*
 * Where the host has what is at a path inside: owned.  "" when nothing can be there, NULL when it
 * cannot be told: the home is the worker's.
 */
static char *host_place(const struct policy *p, const char *path)
{
	static const enum setting both[] = {SETTING_BIND, SETTING_BIND_READ_ONLY};
	char home[sizeof("/home/") + WORKER_NAME_MAX] = "/home/", *place = NULL;
	struct bind_spec b;

	worker_name(policy_slug(p), home + strlen(home));
	if (path_within(path, home))
		return NULL;
	for (size_t k = 0; k < ELEMENTSOF(both); k++)
		for (size_t i = 0; policy_bind(p, both[k], i, &b, NULL) == 0; i++)
			if (path_within(path, b.destination))
				return asprintf(&place, "%s%s", b.source,
					       path + strlen(b.destination)) < 0
					? NULL
					: place;
	/* Of her home the toolchains are shown, and what is in the project. */
	if (system_has(path) || path_within(path, policy_path(p)) ||
		path_within(path, policy_owner(p)->home))
		return strdup(path);
	return strdup("");
}

static void tell_shell(struct request *r, const char *slug)
{
	_cleanup_(person_reply_done) struct person_reply reply = {0};
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_free_ char *place = NULL;
	const char *shell;

	if (policy_load(slug, NULL, 0, &p, NULL) < 0)
		return;
	shell = policy_text(p, SETTING_SHELL);
	place = host_place(p, shell);
	if (!place || !*shell)
		return;
	if (*place &&
		(as_person(policy_owner(p), look, place, -1, LOOK_MS, &reply, NULL) < 0 ||
			reply.result != -ENOENT))
		return;
	(void)note(r, "Shell= is set, but '%s' is no program that is there inside", shell);
}

/* The person's file counts too: Network= may be said there. */
static void tell_domains(struct request *r, const char *slug)
{
	_cleanup_policy_ struct policy *p = NULL;
	const char *network;

	if (policy_load(slug, NULL, 0, &p, NULL) < 0)
		return;
	network = policy_choice(p, SETTING_NETWORK);
	if (!streq(network, "filtered"))
		(void)note(r,
			"AllowDomains= is set, but Network=%s does not ask it: 'clsecure set %s "
			"Network=filtered' does",
			network, slug);
}

void doubts_tell(struct request *r, const char *slug, char *const *assignments)
{
	_cleanup_policy_ struct policy *p = NULL;

	if (names(assignments, SETTING_SHELL))
		tell_shell(r, slug);
	if (names(assignments, SETTING_ALLOW_DOMAINS))
		tell_domains(r, slug);
	if (policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) < 0)
		return;
	if (names(assignments, SETTING_ALLOW_USERS))
		tell_users(r, p);
	if (names(assignments, SETTING_ALLOW_GROUPS))
		tell_groups(r, p);
}
