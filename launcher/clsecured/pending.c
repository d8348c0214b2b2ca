#include "config.h"
#include "launcher/clsecured/pending.h"
#include "launcher/clsecured/bypath.h"
#include "launcher/clsecured/projects.h"
#include "launcher/clsecured/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <syslog.h>

#define MARK ".pending-"
#define MARK_NAME_MAX (sizeof(MARK) + SLUG_MAX)

static int open_projects(int *ret_fd, struct error *e)
{
	int fd = open(PROJECTS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(e, -errno, "open '%s'", PROJECTS_DIR);
	*ret_fd = fd;
	return 0;
}

int pending_mark(const char *slug, uid_t owner, const char *path, struct error *e)
{
	char name[MARK_NAME_MAX], target[PATH_MAX + 16];
	_cleanup_close_ int dir = -1;
	int err = open_projects(&dir, e);

	if (err < 0)
		return err;
	snprintf(name, sizeof(name), MARK "%s", slug);
	/* A target has room for PATH_MAX - 1; a longer path is remembered as no path at all. */
	if (snprintf(target, sizeof(target), "%u:%s", owner, path) >= PATH_MAX)
		snprintf(target, sizeof(target), "%u:/", owner);
	if ((symlinkat(target, dir, name) < 0 && errno != EEXIST) || fsync(dir) < 0)
		return error_errno(e, -errno, "note what is about to be done in '%s'",
			PROJECTS_DIR);
	return 0;
}

int pending_clear(const char *slug, struct error *e)
{
	_cleanup_close_ int dir = -1;
	char name[MARK_NAME_MAX];
	int err = open_projects(&dir, e);

	if (err < 0)
		return err;
	snprintf(name, sizeof(name), MARK "%s", slug);
	if ((unlinkat(dir, name, 0) < 0 && errno != ENOENT) || fsync(dir) < 0)
		return error_errno(e, -errno, "take back the note '%s' in '%s'", name,
			PROJECTS_DIR);
	return 0;
}

/* 0: the registry does not say any more. */
static uid_t worker_of(const char *slug)
{
	char name[WORKER_NAME_MAX + 1];
	struct record record;

	worker_name(slug, name);
	return record_by_name(REGISTRY_DIR, name, &record) == 0 ? record.uid : 0;
}

static int undo(struct registry *lock, const char *slug, uid_t owner, const char *path,
	struct error *e)
{
	uid_t worker = worker_of(slug);
	struct error dropped = {0};
	_cleanup_close_ int dir = -1;
	int err = registry_remove(lock, slug, owner, path, e);

	if (err < 0 && err != -ENOENT)
		return err;
	/* Now that no keeper can start: one that has not read the registry yet finds nothing there. */
	err = project_kill(slug, 0, 0, e);
	if (err < 0)
		return err;
	err = project_destroy(slug, e);
	if (err < 0 && err != -ENOENT)
		return err;
	err = bypath_open(lock, &dir, e);
	if (err == 0)
		err = bypath_drop(dir, slug, path, e);
	if (err < 0)
		return err;
	/*
	 * Last, as its stop ends clsecured's processes that are in it, and they have a status to
	 * pass on.  One that stays does no harm: unsetup takes it too.
	 */
	if (worker != 0 && slice_drop(worker, &dropped) < 0)
		syslog(LOG_WARNING, "%s: %s", slug, dropped.text);
	return pending_clear(slug, e);
}

int project_remove(struct registry *lock, const char *slug, uid_t owner, const char *path,
	struct error *e)
{
	int err = pending_mark(slug, owner, path, e);

	return err < 0 ? err : undo(lock, slug, owner, path, e);
}

void project_keep(const char *slug)
{
	char name[WORKER_NAME_MAX + 1];
	struct record record;

	worker_name(slug, name);
	if (record_by_name(REGISTRY_DIR, name, &record) < 0)
		return;
	(void)slice_keep(record.uid, NULL);
	(void)pending_clear(slug, NULL);
}

static int repair_one(struct registry *lock, int dir, const char *name, struct error *e)
{
	const char *slug = name + strlen(MARK);
	char target[PATH_MAX];
	unsigned owner;
	ssize_t n;
	int skip = 0;

	if (!slug_valid(slug))
		return 0;
	n = readlinkat(dir, name, target, sizeof(target) - 1);
	if (n < 0)
		return error_errno(e, -errno, "read '%s/%s'", PROJECTS_DIR, name);
	target[n] = '\0';
	if (sscanf(target, "%u:%n", &owner, &skip) != 1 || target[skip] != '/')
		return error_set(e, -EBADMSG, "'%s/%s' is damaged; remove it", PROJECTS_DIR, name);
	return undo(lock, slug, owner, target + skip, e);
}

int pending_repair(struct registry *lock, struct error *e)
{
	DIR *dir = opendir(PROJECTS_DIR);
	int err = 0;

	if (!dir)
		return error_errno(e, -errno, "open '%s'", PROJECTS_DIR);
	for (struct dirent *d; err == 0 && (d = readdir(dir));)
		if (strncmp(d->d_name, MARK, strlen(MARK)) == 0)
			err = repair_one(lock, dirfd(dir), d->d_name, e);
	closedir(dir);
	return err;
}

int pending_tidy(struct error *e)
{
	_cleanup_registry_ struct registry lock = REGISTRY_EMPTY;
	int err = registry_lock(REGISTRY_STATE, &lock, e);

	if (err == -ENOENT) /* not set up */
		return 0;
	if (err == 0)
		err = pending_repair(&lock, e);
	registry_unlock(&lock);
	return err < 0 ? err : projects_sweep(e);
}
