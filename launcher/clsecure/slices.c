/* systemd's files of the gateway and the workers (launcher/clsecured/slice.h), in setup's plan. */
#include "config.h"
#include "launcher/clsecure/host.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "launcher/clsecured/slice.h"
#include "lib/base/registry.h"

struct slices {
	const struct host *host;
	struct plan *plan;
	struct error *e;
};

/* Not ours to write or to take: a mask that the administrator made is one as well. */
static bool is_foreign(const struct slices *s, const char *path)
{
	char full[PATH_MAX];
	struct stat st;

	return snprintf(full, sizeof(full), "%s%s", s->host->root, path) < (int)sizeof(full) &&
		lstat(full, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > 0);
}

static int plan_file(struct slices *s, const struct slice_file *f, uid_t user, bool join)
{
	char path[SLICE_PATH_MAX], *old = NULL, *ours = NULL;
	bool changed;
	int err;

	slice_path(f, user, path);
	if (!f->file && is_foreign(s, path))
		return 0;
	err = host_read(s->host->root, path, &old, s->e);
	if (err < 0)
		return err;
	changed = old && !streq(old, f->text);
	if (join) {
		ours = strdup(f->text);
		if (!ours) {
			free(old);
			return error_errno(s->e, -ENOMEM, "'%s'", path);
		}
	}
	err = plan_add(s->plan, STAGE_SYSTEMD, path, old, ours, s->e);
	if (err == 0 && !join && changed)
		s->plan->change[s->plan->n - 1].keep = true;
	return err;
}

static int join_user(struct slices *s, uid_t user)
{
	int err = 0;

	for (size_t i = 0; i < ELEMENTSOF(slice_files) && err == 0; i++)
		err = plan_file(s, &slice_files[i], user, true);
	return err;
}

static int join_record(const struct record *record, void *userdata)
{
	return identity_of(record->name) == IDENTITY_WORKER ? join_user(userdata, record->uid) : 0;
}

static int join_all(struct slices *s)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s" SLICE_DIR, s->host->root);
	if (access(path, F_OK) < 0)
		return 0; /* no systemd */
	err = join_user(s, GATEWAY_UID);
	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "%s" REGISTRY_STATE, s->host->root);
	err = registry_foreach(path, join_record, s);
	return err == -ENOENT ? 0 : err;
}

/* The uid in a name of this kind, when it is one of ours, else 0. */
static uid_t user_of(const struct slice_file *f, const char *name)
{
	char same[SLICE_NAME_MAX];
	size_t n = strlen(f->prefix);
	unsigned long uid;

	if (strncmp(name, f->prefix, n) != 0)
		return 0;
	uid = strtoul(name + n, NULL, 10);
	if (uid != GATEWAY_UID && (uid < CLSECURE_UID_FIRST || uid > CLSECURE_UID_LAST))
		return 0;
	slice_name(f, (uid_t)uid, same);
	return streq(name, same) ? (uid_t)uid : 0;
}

static int part_one(struct slices *s, const char *name)
{
	int err = 0;

	for (size_t i = 0; i < ELEMENTSOF(slice_files) && err == 0; i++) {
		uid_t user = user_of(&slice_files[i], name);

		if (user)
			err = plan_file(s, &slice_files[i], user, false);
	}
	return err;
}

/* Whatever is there, so that none stays of a project whose record is gone. */
static int part_all(struct slices *s)
{
	char path[PATH_MAX];
	struct dirent *d;
	DIR *dir;
	int err = 0;

	snprintf(path, sizeof(path), "%s" SLICE_DIR, s->host->root);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : error_errno(s->e, -errno, "opening '%s'", SLICE_DIR);
	while (err == 0 && (d = readdir(dir)))
		err = part_one(s, d->d_name);
	closedir(dir);
	return err;
}

int plan_slices(const struct host *h, bool join, struct plan *p, struct error *e)
{
	struct slices s = {h, p, e};

	return join ? join_all(&s) : part_all(&s);
}
