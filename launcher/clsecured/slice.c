#include "config.h"
#include "launcher/clsecured/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "launcher/clsecure/run.h"
#include "lib/base/macros.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define STOP_MS 5000

/* -ENOENT, without words: there is no systemd here. */
static int open_units(struct error *e)
{
	int fd = open(SLICE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ENOENT : error_errno(e, -errno, "open '%s'", SLICE_DIR);
}

static int open_folder(int units, const char *folder)
{
	int fd = openat(units, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* By one write: what a kill leaves of it here is written again, or taken away, with the project. */
static int write_text(int folder, const char *file, const char *text, int flags)
{
	_cleanup_close_ int fd =
		openat(folder, file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0644);
	const size_t n = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != (ssize_t)n)
		return -EIO;
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 || fsync(folder) < 0 ? -errno : 0;
}

static int keep_one(int units, const struct slice_file *f, const char *name)
{
	_cleanup_close_ int folder = -1;
	int err;

	if (!f->file) {
		err = write_text(units, name, f->text, O_EXCL);
		return err == -EEXIST ? 0 : err; /* masked already, or the administrator's own */
	}
	if (mkdirat(units, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	folder = open_folder(units, name);
	return folder < 0 ? folder : write_text(folder, f->file, f->text, O_TRUNC);
}

int slice_keep(uid_t worker, struct error *e)
{
	_cleanup_close_ int units = open_units(e);

	if (units < 0)
		return units == -ENOENT ? 0 : units;
	for (size_t i = 0; i < ELEMENTSOF(slice_files); i++) {
		char name[SLICE_NAME_MAX];
		int err;

		slice_name(&slice_files[i], worker, name);
		err = keep_one(units, &slice_files[i], name);
		if (err < 0)
			return error_errno(e, err, "write '%s/%s'", SLICE_DIR, name);
	}
	return 0;
}

/* It has nothing in it any more; what does not work here is gone with the next boot. */
static void stop(uid_t worker)
{
	char unit[SLICE_NAME_MAX];
	char *argv[] = {(char *)SYSTEMCTL, (char *)"stop", (char *)"--no-ask-password", unit, NULL};

	snprintf(unit, sizeof(unit), "user-%u.slice", worker);
	if (access("/run/systemd/system", F_OK) == 0)
		(void)run_program(argv, STOP_MS, NULL);
}

static int drop_one(int units, const struct slice_file *f, const char *name)
{
	_cleanup_close_ int folder = -1;
	struct stat st;

	if (!f->file) {
		if (fstatat(units, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISREG(st.st_mode) || st.st_size > 0)
			return 0; /* the administrator's own */
		return unlinkat(units, name, 0) < 0 ? -errno : 0;
	}
	folder = open_folder(units, name);
	if (folder < 0)
		return folder;
	if (unlinkat(folder, f->file, 0) < 0 && errno != ENOENT)
		return -errno;
	(void)unlinkat(units, name, AT_REMOVEDIR); /* the administrator's own files may be in it */
	return 0;
}

int slice_drop(uid_t worker, struct error *e)
{
	_cleanup_close_ int units = open_units(e);
	int err = 0;

	if (units < 0)
		return units == -ENOENT ? 0 : units;
	for (size_t i = 0; i < ELEMENTSOF(slice_files); i++) {
		char name[SLICE_NAME_MAX];
		int one;

		slice_name(&slice_files[i], worker, name);
		one = drop_one(units, &slice_files[i], name);
		if (one < 0 && one != -ENOENT && err == 0)
			err = error_errno(e, one, "remove '%s/%s'", SLICE_DIR, name);
	}
	stop(worker);
	return err;
}
