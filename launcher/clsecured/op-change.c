/* set, remove, kill: what the owner of a project does to it. */
#include "config.h"
#include "launcher/clsecure-keys/keyusers.h"
#include "launcher/clsecured/doubts.h"
#include "launcher/clsecured/pending.h"
#include "launcher/clsecured/projects.h"

#include <errno.h>

int op_set(struct request *r, struct error *e)
{
	_cleanup_free_ char **assignments = NULL;
	_cleanup_policy_ struct policy *p = NULL;
	_cleanup_message_ struct message m = {0};
	bool waits[SETTING_COUNT_] = {0};
	size_t given = 0;
	char slug[SLUG_MAX + 1];
	bool runs;
	int err;

	assignments = message_list(r->m, "setting", &given);
	if (!assignments || given == 0)
		return error_set(e, -EINVAL, "nothing to set");
	err = project_named(r, slug, e);
	if (err == 0)
		err = project_for(r, slug, RIGHT_CHANGE, NULL, POLICY_TRUSTED_ONLY, &p, e);
	if (err == 0)
		err = project_change(slug, policy_owner(p)->uid, assignments, r->admin, waits,
			e);
	if (err < 0)
		return err;
	keyusers_project(slug); /* AllowUsers may have changed */
	doubts_tell(r, slug, assignments);
	runs = project_runs(slug); /* which also makes its keeper read the settings that are live */
	err = message_add(&m, "project", slug);
	for (enum setting s = 0; err == 0 && runs && s < SETTING_COUNT_; s++)
		if (waits[s])
			err = message_add(&m, "waits", settings[s].key);
	return err < 0 ? err : reply(r, "row", &m);
}

int op_remove(struct request *r, struct error *e)
{
	_cleanup_registry_ struct registry lock = REGISTRY_EMPTY;
	_cleanup_policy_ struct policy *p = NULL;
	char slug[SLUG_MAX + 1];
	struct error why = {0};
	int err = project_named(r, slug, e);

	if (err == 0)
		err = registry_lock(REGISTRY_STATE, &lock, e);
	if (err == 0)
		err = pending_repair(&lock, e);
	if (err < 0)
		return err;
	err = project_for(r, slug, RIGHT_CHANGE, NULL, POLICY_TRUSTED_ONLY, &p, &why);
	/* A project that cannot be read can be removed all the same, but only root may say so. */
	if (err < 0 && !(r->admin && err != -EINVAL && (err != -ENOENT || !r->remedy[0])))
		return error_set(e, err, "%s", why.text);
	err = project_remove(&lock, slug, p ? policy_owner(p)->uid : (uid_t)-1,
		p ? policy_path(p) : "/", e);
	if (err < 0)
		project_keep(slug);
	registry_unlock(&lock);
	return err < 0 ? err : projects_sweep(e);
}

int op_kill(struct request *r, struct error *e)
{
	const char *text = message_get(r->m, "session");
	_cleanup_policy_ struct policy *p = NULL;
	unsigned long session = 0;
	char slug[SLUG_MAX + 1];
	char *end = NULL;
	uid_t worker = 0;
	/* Before it is looked at whose it is: by then the name may be another person's. */
	int err = project_named(r, slug, e) ?: project_registered(r, slug, &worker, e);

	if (err < 0)
		return err;
	errno = 0;
	if (text)
		session = strtoul(text, &end, 10);
	if (text && (errno || *end || end == text || session == 0 || session > UINT32_MAX))
		return error_set(e, -EINVAL, "'%s' is no number of a session", text);
	err = project_for(r, slug, RIGHT_CHANGE, NULL, POLICY_TRUSTED_ONLY, &p, e);
	if (err == 0)
		err = project_kill(slug, worker, (uint32_t)session, e);
	if (err == -ESRCH)
		remedy_set(r, "'clsecure sessions' shows those that there are.");
	return err;
}
