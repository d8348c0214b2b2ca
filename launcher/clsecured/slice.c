#include "config.h"
#include "launcher/clsecured/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/clsecure/run.h"
#include "lib/base/macros.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define STOP_MS 5000
#define TEMPORARY ".new"
#define FOLDER_MAX 40

/* The worker's folder in it has that name.  1: there is no systemd here. */
static int open_units(
	uid_t worker, int *ret_fd, char ret_name[static FOLDER_MAX], struct error *e)
{
	int fd = open(SLICE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 1 : error_errno(e, -errno, "open '%s'", SLICE_DIR);
	snprintf(ret_name, FOLDER_MAX, SLICE_FOLDER, worker);
	*ret_fd = fd;
	return 0;
}

static int open_folder(int units, const char *folder)
{
	int fd = openat(units, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int write_text(int folder)
{
	_cleanup_close_ int fd = -1;
	const size_t n = strlen(SLICE_TEXT);

	if (unlinkat(folder, TEMPORARY, 0) < 0 && errno != ENOENT) /* of one that was killed */
		return -errno;
	fd = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, SLICE_TEXT, n) != (ssize_t)n)
		return -EIO;
	if (fchmod(fd, 0644) < 0 || fsync(fd) < 0 ||
		renameat(folder, TEMPORARY, folder, SLICE_FILE) < 0)
		return -errno;
	return fsync(folder) < 0 ? -errno : 0;
}

int slice_keep(uid_t worker, struct error *e)
{
	_cleanup_close_ int units = -1, folder = -1;
	char name[FOLDER_MAX];
	int err = open_units(worker, &units, name, e);

	if (err != 0)
		return err < 0 ? err : 0;
	if (mkdirat(units, name, 0755) < 0 && errno != EEXIST)
		err = -errno;
	if (err == 0)
		err = folder = open_folder(units, name);
	if (err >= 0)
		err = write_text(folder);
	return err < 0 ? error_errno(e, err, "write '%s/%s/%s'", SLICE_DIR, name, SLICE_FILE) : 0;
}

/* It has nothing in it any more; what does not work here is gone with the next boot. */
static void stop(uid_t worker)
{
	char unit[FOLDER_MAX];
	char *argv[] = {(char *)SYSTEMCTL, (char *)"stop", (char *)"--no-ask-password", unit, NULL};

	snprintf(unit, sizeof(unit), "user-%u.slice", worker);
	if (access("/run/systemd/system", F_OK) == 0)
		(void)run_program(argv, STOP_MS, NULL);
}

int slice_drop(uid_t worker, struct error *e)
{
	_cleanup_close_ int units = -1, folder = -1;
	char name[FOLDER_MAX];
	int err = open_units(worker, &units, name, e);

	if (err != 0)
		return err < 0 ? err : 0;
	folder = open_folder(units, name);
	if (folder == -ENOENT)
		return 0;
	if (folder < 0)
		return error_errno(e, folder, "open '%s/%s'", SLICE_DIR, name);
	if (unlinkat(folder, SLICE_FILE, 0) < 0 && errno != ENOENT)
		return error_errno(e, -errno, "remove '%s/%s/%s'", SLICE_DIR, name, SLICE_FILE);
	(void)unlinkat(folder, TEMPORARY, 0);
	(void)unlinkat(units, name, AT_REMOVEDIR); /* the administrator's own files may be in it */
	stop(worker);
	return 0;
}
