/*
 * Bind= and BindReadOnly=: what they say, made absolute for the owner, and what they must not say.
 *
 * The project is shown once, with its protected places read-only.  A writable bind of the same
 * files would show them unprotected elsewhere; one on or above the project would stand in front of
 * it.
 */
#include "config.h"
#include "lib/policy/binds.h"
#include "lib/base/macros.h"
#include "lib/policy/value.h"
#include "lib/policy/words.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_WAIT_MS 5000

char *path_expand(const char *path, const char *home)
{
	char *out;

	if (path[0] != '~')
		return strdup(path);
	if (streq(home, "/")) /* "~/x" is "/x" then */
		return strdup(path[1] ? path + 1 : "/");
	return asprintf(&out, "%s%s", home, path + 1) < 0 ? NULL : out;
}

void binds_done(struct binds *b)
{
	for (size_t i = 0; i < b->n; i++) {
		free(b->items[i].source);
		free(b->items[i].destination);
	}
	free(b->items);
	*b = (struct binds){0};
}

int binds_expand(const struct value *v, const char *home, struct binds *ret_binds)
{
	_cleanup_(binds_done) struct binds all = {.items = calloc(v->n + 1, sizeof(*all.items))};

	if (!all.items)
		return -ENOMEM;
	for (size_t i = 0; i < v->n; i++) {
		_cleanup_free_ char *source = NULL, *destination = NULL;
		int err = bind_split(v->list[i], &source, &destination);

		if (err < 0)
			return err;
		all.items[i].source = path_expand(source, home);
		all.items[i].destination = path_expand(destination ?: source, home);
		all.n++;
		if (!all.items[i].source || !all.items[i].destination)
			return -ENOMEM;
	}
	*ret_binds = all;
	all = (struct binds){0};
	return 0;
}

int bind_fits(const struct bind_spec *b, enum setting s, const char *project, struct error *e)
{
	const char *key = settings[s].key;

	if (!destination_allowed(b->destination))
		return error_set(e, -EINVAL, "%s=: '%s' is in the system's own directories", key,
			b->destination);
	if (path_within(project, b->destination))
		return error_set(e, -EINVAL, "%s=: '%s' would stand in front of the project", key,
			b->destination);
	if (s == SETTING_BIND &&
		(path_within(project, b->source) || path_within(b->source, project)))
		return error_set(e, -EINVAL,
			"%s=: '%s' would show files of the project a second time, writable and "
			"unprotected",
			key, b->source);
	return 0;
}

int bind_open(const char *source, bool writable, int *ret_fd, struct error *e)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err = person_open(source, O_RDONLY, writable ? S_IFDIR : 0, false, &fd, e);

	if (err < 0)
		return err;
	if (fstat(fd, &st) < 0)
		return error_errno(e, -errno, "'%s'", source);
	if (writable && st.st_uid != geteuid())
		return error_set(e, -EPERM, "'%s' belongs to somebody else", source);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

struct trying {
	const struct binds *binds;
	enum setting setting;
};

static int open_each(void *arg, struct person_out *out, struct error *e)
{
	const struct trying *t = arg;

	for (size_t i = 0; i < t->binds->n; i++) {
		_cleanup_close_ int fd = -1;
		struct error why = {0};
		int err =
			bind_open(t->binds->items[i].source, t->setting == SETTING_BIND, &fd, &why);

		if (err < 0)
			return error_set(e, err, "%s=: %s", settings[t->setting].key, why.text);
	}
	return 0;
}

static int check_one(const struct value *v, enum setting s, const struct person *owner,
	const char *project, struct error *e)
{
	_cleanup_(person_reply_done) struct person_reply r = {0};
	_cleanup_(binds_done) struct binds binds = {0};
	struct trying t = {&binds, s};
	int err = binds_expand(v, owner->home, &binds);

	if (err < 0)
		return error_errno(e, err, "%s=", settings[s].key);
	for (size_t i = 0; i < binds.n; i++) {
		err = bind_fits(&(struct bind_spec){binds.items[i].source,
					binds.items[i].destination},
			s, project, e);
		if (err < 0)
			return err;
	}
	err = binds.n ? as_person(owner, open_each, &t, -1, OPEN_WAIT_MS, &r, e) : 0;
	if (err == 0 && r.result < 0)
		return error_set(e, r.result == -ENOENT ? -EINVAL : r.result, "%s", r.error.text);
	return err;
}

int binds_check(const struct layer *l, const struct person *owner, const char *project,
	struct error *e)
{
	static const enum setting both[] = {SETTING_BIND, SETTING_BIND_READ_ONLY};
	int err = 0;

	for (size_t i = 0; err == 0 && i < ELEMENTSOF(both); i++)
		if (l->entries[both[i]].set)
			err = check_one(&l->entries[both[i]].value, both[i], owner, project, e);
	return err;
}
