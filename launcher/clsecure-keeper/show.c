#include "config.h"
#include "launcher/clsecure-keeper/show.h"
#include "lib/base/macros.h"
#include "lib/policy/binds.h"
#include "lib/sandbox/idmap.h"
#include "lib/sandbox/look.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define OPEN_MS 3000
#define LOOK_MS 1500 /* of it, for the search for sockets */

struct show_item *show_add(struct show *s, const char *source, const char *destination)
{
	struct show_item *items = reallocarray(s->items, s->n + 1, sizeof(*items)), *i;

	if (!items)
		return NULL;
	s->items = items;
	i = &s->items[s->n];
	*i = (struct show_item){
		.source = strdup(source), .destination = strdup(destination), .fd = -1, .tree = -1};
	if (!i->source || !i->destination) {
		free(i->source);
		free(i->destination);
		return NULL;
	}
	s->n++;
	return i;
}

static int add_binds(const struct policy *p, enum setting which, bool writable, struct show *s,
	struct error *e)
{
	size_t n = 0;

	policy_list(p, which, &n);
	for (size_t i = 0; i < n; i++) {
		struct show_item *item;
		struct bind_spec b;
		int err = policy_bind(p, which, i, &b, e);

		if (err < 0)
			return err;
		item = show_add(s, b.source, b.destination);
		if (!item)
			return error_errno(e, -ENOMEM, "cannot plan the sandbox");
		item->writable = writable;
	}
	return 0;
}

/* The plan's own form of the list. */
static int trees_of(struct show *s, struct error *e)
{
	s->trees = calloc(s->n, sizeof(*s->trees));
	if (!s->trees)
		return error_errno(e, -ENOMEM, "cannot plan the sandbox");
	for (size_t i = 0; i < s->n; i++)
		s->trees[i] = (struct plan_tree){
			.destination = s->items[i].destination, .writable = s->items[i].writable};
	return 0;
}

int show_plan(struct keeper *k, const struct plan_input *in, struct show *ret_show, struct error *e)
{
	_cleanup_(show_done) struct show s = {0};
	struct show_item *project = show_add(&s, in->project, in->project), *home;
	char path[64];
	int err;

	if (!project)
		return error_errno(e, -ENOMEM, "cannot plan the sandbox");
	project->writable = true;
	if (!in->home_ephemeral) {
		snprintf(path, sizeof(path), "/home/%s", in->worker_name);
		home = show_add(&s, "", path);
		if (!home)
			return error_errno(e, -ENOMEM, "cannot plan the sandbox");
		home->writable = home->home = true;
	}
	err = add_binds(k->policy, SETTING_BIND_READ_ONLY, false, &s, e);
	if (err == 0)
		err = add_binds(k->policy, SETTING_BIND, true, &s, e);
	if (err == 0)
		err = tools_plan(k, &s, e);
	if (err == 0)
		err = protect_plan(k->policy, &s, e);
	if (err == 0)
		err = trees_of(&s, e);
	if (err < 0)
		return err;
	*ret_show = s;
	s = (struct show){0};
	return 0;
}

/* Unmapped, a worker reaches of it what anybody on the host does. */
static bool is_public(const struct show_item *item, int fd)
{
	struct stat st;

	return item->tool && fstat(fd, &st) == 0 && (st.st_mode & 05) == 05;
}

static int look_at(const struct show *s, unsigned i, int fd, uint64_t deadline,
	struct person_out *out)
{
	_cleanup_(links_done) struct links links = {0};
	size_t n = 0;
	int err = 0;

	while (s->patterns && s->patterns[n])
		n++;
	if (i == 0)
		err = look_protected(fd, i, s->patterns, n, &links, out) ?: look_git(fd, i, out);
	return err < 0 ? err : look_sockets(fd, i, deadline, &links, out);
}

/*
 * In a child that is the person: each source in its place, opened for what it will be used as, and
 * looked at.
 */
static int open_each(void *arg, struct person_out *out, struct error *e)
{
	const struct show *s = arg;
	uint64_t deadline = now_ms() + LOOK_MS;

	for (size_t i = 0; i < s->n; i++) {
		const struct show_item *item = &s->items[i];
		_cleanup_close_ int fd = -1;
		int err;

		if (item->home)
			continue;
		err = bind_open(item->source, item->writable, &fd, e);
		if (err < 0)
			return err;
		err = person_answer_fd(out, fd);
		if (err == 0 && !is_public(item, fd))
			err = look_at(s, (unsigned)i, fd, deadline, out);
		if (err < 0)
			return error_errno(e, err, "'%s' cannot be looked through", item->source);
	}
	return 0;
}

int show_open(struct show *s, const struct person *p, struct person_reply *r, struct error *e)
{
	size_t at = 0, want = 0;
	int err = as_person(p, open_each, s, -1, OPEN_MS, r, e);

	if (err < 0)
		return err;
	for (size_t i = 0; i < s->n; i++)
		want += !s->items[i].home;
	if (r->result < 0 || r->n_fds != want) {
		err = r->result < 0
			? error_set(e, r->result, "%s", r->error.text)
			: error_set(e, -EPROTO, "what '%s' shows could not be opened", p->name);
		return err;
	}
	for (size_t i = 0; i < s->n; i++)
		if (!s->items[i].home)
			s->items[i].fd = TAKE_FD(r->fds[at++]);
	return 0;
}

int show_tree(struct show_item *item, int userns, struct error *e)
{
	struct error why = {0};
	int err = is_public(item, item->fd)
		? -EINVAL
		: idmap_tree(item->fd, userns, &item->tree, &why);

	if (err == 0)
		return 0;
	if (item->writable)
		return error_set(e, err, "'%s': %s", item->source, why.text);
	item->tree = open_tree(item->fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return item->tree < 0 ? error_errno(e, -errno, "'%s'", item->source) : 0;
}

void show_done(struct show *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->items[i].source);
		free(s->items[i].destination);
		closep(&s->items[i].fd);
		closep(&s->items[i].tree);
	}
	free(s->items);
	free(s->trees);
	strings_free(s->patterns);
	strings_free(s->pin);
	strings_free(s->protect);
	strings_free(s->cover);
	strings_free(s->hide);
	*s = (struct show){0};
}
