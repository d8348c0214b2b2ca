#include "config.h"
#include "launcher/clsecured/worker-home.h"
#include "lib/base/record.h"
#include "lib/base/registry.h"
#include "lib/policy/policy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define LOOK_MS 1000
#define DEPTH_MAX 64 /* directories deeper than this are not counted */

static uint64_t count(int fd, unsigned depth, dev_t device)
{
	DIR *dir = fdopendir(fd);
	uint64_t bytes = 0;

	if (!dir) {
		close(fd);
		return 0;
	}
	for (struct dirent *d; (d = readdir(dir));) {
		struct stat st;
		int sub;

		if (streq(d->d_name, ".") || streq(d->d_name, "..") ||
			fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			st.st_dev != device)
			continue;
		bytes += (uint64_t)st.st_blocks * 512;
		if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX)
			continue;
		sub = openat(dirfd(dir), d->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			bytes += count(sub, depth + 1, device);
	}
	closedir(dir);
	return bytes;
}

/* As the worker. */
static int count_home(void *arg, struct person_out *out, struct error *e)
{
	int home = *(int *)arg, fd;
	uint64_t bytes;
	struct stat st;

	fd = openat(home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	bytes = count(fd, 0, st.st_dev);
	return person_answer(out, &bytes, sizeof(bytes));
}

/* As the worker.  A file that is there and not empty; what is in it is not looked at. */
static int find_credentials(void *arg, struct person_out *out, struct error *e)
{
	struct stat st;

	if (fstatat(*(int *)arg, ".claude/.credentials.json", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && st.st_size > 0 ? 0 : -ENOENT;
}

static int in_home(const char *slug, person_fn f, unsigned timeout_ms,
	struct person_reply *ret_reply)
{
	struct person worker = {.n_groups = 1};
	char path[sizeof(PROJECTS_DIR) + SLUG_MAX + 16];
	_cleanup_close_ int home = -1;
	struct record record;
	int err;

	worker_name(slug, worker.name);
	err = record_by_name(REGISTRY_DIR, worker.name, &record);
	if (err < 0)
		return err;
	worker.uid = worker.gid = record.uid;
	worker.groups = &worker.gid;
	snprintf(path, sizeof(path), PROJECTS_DIR "/%s/home", slug);
	snprintf(worker.home, sizeof(worker.home), "/");
	home = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (home < 0)
		return -errno;
	err = as_person(&worker, f, &home, home, timeout_ms, ret_reply, NULL);
	return err < 0 ? err : ret_reply->result;
}

int home_size(const char *slug, unsigned timeout_ms, uint64_t *ret_bytes)
{
	_cleanup_(person_reply_done) struct person_reply reply = {0};
	int err = in_home(slug, count_home, timeout_ms, &reply);

	if (err < 0)
		return err;
	if (reply.size != sizeof(*ret_bytes))
		return -EPROTO;
	memcpy(ret_bytes, reply.data, sizeof(*ret_bytes));
	return 0;
}

bool home_logged_in(const char *slug)
{
	_cleanup_(person_reply_done) struct person_reply reply = {0};

	return in_home(slug, find_credentials, LOOK_MS, &reply) == 0;
}
