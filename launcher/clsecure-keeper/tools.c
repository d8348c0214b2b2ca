/*
 * Toolchains, Claude Code and git's identity of the owner, made into what is shown and set inside.
 */
#include "config.h"
#include "launcher/clsecure-keeper/show.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/sandbox/toolchains.h"

#include <errno.h>

#define SYSTEM_PATH \
	"/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games:/usr/local/sbin:/usr/sbin:/sbin"

/* Variables by which a toolchain finds itself when HOME is not the owner's. */
static const struct {
	const char *folder, *name;
} variables[] = {
	{"/.nvm", "NVM_DIR"},
	{"/.volta", "VOLTA_HOME"},
	{"/.asdf", "ASDF_DATA_DIR"},
	{"/.local/share/mise", "MISE_DATA_DIR"},
	{"/.pyenv", "PYENV_ROOT"},
	{"/.rustup", "RUSTUP_HOME"},
	{"/.sdkman", "SDKMAN_DIR"},
};

static int variable_add(struct keeper *k, const char *folder)
{
	size_t n = strlen(folder);

	for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
		size_t m = strlen(variables[i].folder);
		char *text;

		if (n < m || !streq(folder + n - m, variables[i].folder))
			continue;
		if (asprintf(&text, "%s=%s", variables[i].name, folder) < 0)
			return -ENOMEM;
		return strings_add(&k->variables, text);
	}
	return 0;
}

static int bind_add(struct keeper *k, struct show *s, const char *path)
{
	struct show_item *item;

	/* Where nothing may be shown, nothing is: a toolchain is no reason to refuse a login. */
	if (!plan_destination_valid(path))
		return 0;
	item = show_add(s, path, path);
	if (!item)
		return -ENOMEM;
	item->tool = true;
	return variable_add(k, path);
}

/* What is installed in the worker's home is found first, as in anybody's. */
static int path_make(struct keeper *k, const struct toolchains *t)
{
	char worker[WORKER_NAME_MAX + 1];

	worker_name(k->slug, worker);
	return asprintf(&k->path, "/home/%s/.local/bin:%s%s%s" SYSTEM_PATH, worker, t->path,
		       t->path[0] ? ":" : "", t->claude ? INSIDE_BIN ":" : "") < 0 ? -ENOMEM : 0;
}

int tools_plan(struct keeper *k, struct show *s, struct error *e)
{
	_cleanup_(toolchains_done) struct toolchains t = {0};
	const struct person *owner = policy_owner(k->policy);
	bool all = streq(policy_choice(k->policy, SETTING_TOOLCHAINS), "auto");
	unsigned what = TOOLCHAINS_IDENTITY | (all ? TOOLCHAINS_ALL : 0);
	int err = toolchains_find(owner, policy_path(k->policy), what, &t, e);

	if (err < 0)
		return err;
	for (size_t i = 0; err == 0 && t.binds[i]; i++)
		err = bind_add(k, s, t.binds[i]);
	if (err == 0)
		err = path_make(k, &t);
	k->claude = TAKE_PTR(t.claude);
	k->gitconfig = TAKE_PTR(t.gitconfig);
	return err < 0 ? error_errno(e, err, "cannot plan the sandbox") : 0;
}
