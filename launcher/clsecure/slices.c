/* The drop-ins of the workers' slices (launcher/clsecured/slice.h), as part of setup's plan. */
#include "config.h"
#include "launcher/clsecure/host.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include "launcher/clsecured/slice.h"
#include "lib/base/registry.h"

struct slices {
	const struct host *host;
	struct plan *plan;
	struct error *e;
};

static int plan_slice(struct slices *s, uid_t worker, bool join)
{
	char path[PATH_MAX], *old = NULL, *ours = NULL;
	bool changed;
	int err;

	snprintf(path, sizeof(path), SLICE_DIR "/" SLICE_FOLDER "/" SLICE_FILE, worker);
	err = host_read(s->host->root, path, &old, s->e);
	if (err < 0)
		return err;
	changed = old && !streq(old, SLICE_TEXT);
	if (join) {
		ours = strdup(SLICE_TEXT);
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

static int join_record(const struct record *record, void *userdata)
{
	return identity_of(record->name) == IDENTITY_WORKER
		? plan_slice(userdata, record->uid, true)
		: 0;
}

static int join_all(struct slices *s)
{
	char path[PATH_MAX];
	int err;

	snprintf(path, sizeof(path), "%s" SLICE_DIR, s->host->root);
	if (access(path, F_OK) < 0)
		return 0; /* no systemd */
	snprintf(path, sizeof(path), "%s" REGISTRY_STATE, s->host->root);
	err = registry_foreach(path, join_record, s);
	return err == -ENOENT ? 0 : err;
}

/* The uid of a folder's name when it is a worker's, else 0. */
static uid_t worker_of(const char *folder)
{
	char name[sizeof(SLICE_FOLDER) + 16];
	unsigned uid;

	if (sscanf(folder, "user-%u.", &uid) != 1 || uid < CLSECURE_UID_FIRST ||
		uid > CLSECURE_UID_LAST)
		return 0;
	snprintf(name, sizeof(name), SLICE_FOLDER, uid);
	return streq(name, folder) ? uid : 0;
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
	while (err == 0 && (d = readdir(dir))) {
		uid_t worker = worker_of(d->d_name);

		if (worker)
			err = plan_slice(s, worker, false);
	}
	closedir(dir);
	return err;
}

int plan_slices(const struct host *h, bool join, struct plan *p, struct error *e)
{
	struct slices s = {h, p, e};

	return join ? join_all(&s) : part_all(&s);
}
