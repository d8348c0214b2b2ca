/*
 * From the policy to the sandbox.  What lies in a person's reach is opened by a child that is that
 * person; root goes on with the descriptors.
 */
#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "launcher/clsecure-keeper/show.h"
#include "lib/base/macros.h"
#include "lib/base/record.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/filter.h"
#include "lib/sandbox/idmap.h"
#include "lib/sandbox/pasta.h"
#include "lib/sandbox/resolver.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define BUILD_MS 4000
#define NETWORK_MS 3500
#define EGRESS_MS 2000 /* beside the building */

static int worker_of(struct keeper *k, struct error *e)
{
	char name[WORKER_NAME_MAX + 1];
	struct record r;
	int err;

	worker_name(k->slug, name);
	err = record_by_name(REGISTRY_ARMED, name, &r);
	if (err < 0)
		return error_errno(e, err, "user '%s'", name);
	k->worker = r.uid;
	return 0;
}

/* Root's own path; the worker owns what lies at its end. */
static int home_tree(const struct keeper *k, int *ret_tree, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/home", PROJECTS_DIR, k->slug);
	fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(e, -errno, "home of '%s'", k->slug);
	if (st.st_uid != k->worker)
		return error_set(e, -EPERM, "home of '%s' belongs to uid %u, not to its worker",
			k->slug, st.st_uid);
	*ret_tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return *ret_tree < 0 ? error_errno(e, -errno, "home of '%s'", k->slug) : 0;
}

static int trees_make(struct keeper *k, struct show *s, struct error *e)
{
	const struct person *owner = policy_owner(k->policy);
	_cleanup_close_ int userns = -1;
	_cleanup_(person_reply_done) struct person_reply r = {0};
	int err = show_open(s, owner, &r, e);

	if (err == 0)
		err = protect_lists(k, s, r.data, r.size, e);
	if (err == 0)
		err = idmap_userns(owner->uid, owner->gid, k->worker, &userns, e);
	for (size_t i = 0; err == 0 && i < s->n; i++) {
		struct show_item *item = &s->items[i];

		if (item->fd >= 0)
			err = show_tree(item, userns, e);
		else if (item->home)
			err = home_tree(k, &item->tree, e);
	}
	return err;
}

static int sandbox_make(struct keeper *k, struct show *s, const struct plan_input *in,
	struct error *e)
{
	_cleanup_(plan_done) struct plan plan = {0};
	_cleanup_free_ int *trees = calloc(s->n + 1, sizeof(*trees));
	struct build b = {.slug = k->slug,
		.project = in->project,
		.plan = &plan,
		.trees = trees,
		.n_trees = s->n,
		.filter = k->filter,
		.netns = -1,
		.worker = k->worker,
		.worker_name = in->worker_name};
	_cleanup_free_ char *entries = NULL;
	_cleanup_close_ int netns = -1;
	int err;

	if (!trees)
		return error_errno(e, -ENOMEM, "cannot plan the sandbox");
	for (size_t i = 0; i < s->n; i++)
		trees[i] = s->items[i].tree;
	err = plan_make(in, &plan, e);
	if (err == 0)
		err = inside_entries(k, &entries, &b.inside_size, e);
	if (err < 0)
		return err;
	b.inside = entries;
	if (k->egress.used) {
		b.netns = k->egress.net.netns;
	} else if (in->resolv_conf) {
		err = pasta_start(k->forward_dns, NETWORK_MS, &k->network, &netns, e);
		if (err < 0)
			return err;
		b.netns = netns;
	}
	/* What was freed would stay with this process, and again with PID 1, its copy. */
	malloc_trim(0);
	err = builder_start(&b, BUILD_MS, &k->sandbox, e);
	if (err == 0 && k->egress.used)
		err = egress_wait(&k->egress, EGRESS_MS, e);
	return err;
}

static int filter_choose(struct keeper *k, struct error *e)
{
	struct filter_options o = {
		.allow_ptrace = policy_number(k->policy, SETTING_ALLOW_PTRACE) != 0};

	return filter_open(&o, &k->filter, e);
}

/*
 * The resolv.conf inside, NULL with a loopback alone.  clsecure-egress starts here, so that it has
 * until the rest stands.
 */
static int network_begin(struct keeper *k, char **ret_text, struct error *e)
{
	const char *network = policy_choice(k->policy, SETTING_NETWORK);
	struct resolver r;
	int err;

	if (streq(network, "filtered")) {
		*ret_text = strdup("nameserver " EGRESS_DNS_ADDRESS "\noptions edns0\n");
		if (!*ret_text)
			return error_errno(e, -ENOMEM, "cannot plan the sandbox");
		return egress_begin(&k->egress, k->slug, k->policy, e);
	}
	if (!streq(network, "full"))
		return 0;
	err = resolver_find("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", &r);
	if (err < 0)
		return error_errno(e, err, "read the host's resolv.conf");
	*ret_text = r.text;
	k->forward_dns = r.forward;
	return 0;
}

int prepare_and_build(struct keeper *k, struct error *e)
{
	_cleanup_(show_done) struct show show = {0};
	_cleanup_free_ char *resolv_conf = NULL;
	char name[WORKER_NAME_MAX + 1];
	struct plan_input in = {0};
	int err = worker_of(k, e);

	if (err == 0)
		err = fault("keeper-policy")
			?: policy_load(k->slug, k->overrides, 0, &k->policy, e);
	if (err < 0)
		return err;
	worker_name(k->slug, name);
	in = (struct plan_input){
		.slug = k->slug,
		.project = policy_path(k->policy),
		.worker = k->worker,
		.worker_name = name,
		.owner_name = policy_owner(k->policy)->name,
		.owner_uid = policy_owner(k->policy)->uid,
		.home_ephemeral = streq(policy_choice(k->policy, SETTING_HOME), "ephemeral"),
		.tmp_size = policy_number(k->policy, SETTING_TMP_SIZE),
		.tmp_inodes = policy_number(k->policy, SETTING_TMP_INODES),
	};
	err = network_begin(k, &resolv_conf, e);
	in.resolv_conf = resolv_conf;
	if (err == 0)
		err = show_plan(k, &in, &show, e);
	if (err == 0)
		err = trees_make(k, &show, e);
	if (err == 0)
		err = sockets_of_system(&show.cover, e);
	if (err == 0)
		err = filter_choose(k, e);
	if (err < 0)
		return err;
	in.trees = show.trees;
	in.n_trees = show.n;
	in.gitconfig = k->gitconfig;
	in.claude = k->claude;
	in.pin = show.pin;
	in.protect = show.protect;
	in.cover = show.cover;
	in.hide = show.hide;
	return sandbox_make(k, &show, &in, e);
}
