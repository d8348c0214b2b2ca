#include "config.h"
#include "launcher/clsecured/bypath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <sys/stat.h>

#include "launcher/clsecured/projects.h"
#include "lib/base/registry-links.h"
#include "lib/policy/store.h"

#define FOLDER REGISTRY_STATE "/paths"
#define UNFINISHED FOLDER ".new"
#define KEY_SIZE (2 * SHA256_DIGEST_SIZE + 1)
#define PATH_SHOWN 960 /* xfs takes 1023 bytes in a link */
#define TARGET_SIZE (SLUG_MAX + PATH_SHOWN + 16)

static void key_of(const char *path, char key[static KEY_SIZE])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, strlen(path), (const uint8_t *)path);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(key + 2 * i, 3, "%02x", digest[i]);
}

/* How much of a path is shown: whole, or up to a directory above it. */
static int shown(const char *path)
{
	size_t n = strlen(path);

	if (n > PATH_SHOWN)
		for (n = PATH_SHOWN; n > 1 && path[n] != '/'; n--)
			;
	return (int)n;
}

/* Takes the text of a target apart. */
static int parse(char *text, struct bypath *ret)
{
	char *uid = strchr(text, ':'), *end;
	unsigned long owner;

	if (!uid)
		return -EBADMSG;
	*uid++ = '\0';
	errno = 0;
	owner = strtoul(uid, &end, 10);
	if (errno || end == uid || *end != ':' || end[1] != '/' || owner >= UINT32_MAX ||
		!slug_valid(text))
		return -EBADMSG;
	*ret = (struct bypath){.slug = text, .owner = (uid_t)owner, .path = end + 1};
	return 0;
}

static int get(int dir, const char *key, char text[static TARGET_SIZE], struct bypath *ret)
{
	ssize_t n = readlinkat(dir, key, text, TARGET_SIZE - 1);

	*ret = (struct bypath){.slug = "", .path = ""};
	if (n < 0)
		return errno == EINVAL ? -EBADMSG : -errno;
	text[n] = '\0';
	return parse(text, ret);
}

int bypath_get(int dir, const char *path, char ret_slug[static SLUG_MAX + 1])
{
	char key[KEY_SIZE], text[TARGET_SIZE];
	struct bypath b;
	int err;

	key_of(path, key);
	err = get(dir, key, text, &b);
	if (err < 0)
		return err == -EBADMSG ? -ENOENT : err;
	snprintf(ret_slug, SLUG_MAX + 1, "%s", b.slug);
	return 0;
}

/* Not durable yet. */
static int put(int dir, const char *slug, uid_t owner, const char *path)
{
	char key[KEY_SIZE], target[TARGET_SIZE], is[TARGET_SIZE];
	ssize_t n;

	key_of(path, key);
	snprintf(target, sizeof(target), "%s:%u:%.*s", slug, owner, shown(path), path);
	n = readlinkat(dir, key, is, sizeof(is));
	if (n == (ssize_t)strlen(target) && memcmp(is, target, (size_t)n) == 0)
		return 0;
	if (unlinkat(dir, REGISTRY_TEMPORARY, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(target, dir, REGISTRY_TEMPORARY) < 0 ||
		renameat(dir, REGISTRY_TEMPORARY, dir, key) < 0)
		return -errno;
	return 0;
}

int bypath_put(int dir, const char *slug, uid_t owner, const char *path, struct error *e)
{
	int err = put(dir, slug, owner, path);

	if (err == 0 && fsync(dir) < 0)
		err = -errno;
	return err < 0 ? error_errno(e, err, "note the directory of '%s'", slug) : 0;
}

static int drop(int dir, const char *key, const char *slug)
{
	char text[TARGET_SIZE];
	struct bypath b;
	int err = get(dir, key, text, &b);

	if (err < 0 || !streq(b.slug, slug))
		return err == -EBADMSG || err == -ENOENT ? 0 : err;
	return unlinkat(dir, key, 0) < 0 ? -errno : 0;
}

/* Of a project that could not be read: nobody knows its directory. */
static int drop_any(int dir, const char *slug)
{
	DIR *stream = open_stream(dir);
	struct dirent *d;
	int err = 0;

	if (!stream)
		return -errno;
	while (err == 0 && (d = readdir(stream)))
		if (d->d_name[0] != '.')
			err = drop(dir, d->d_name, slug);
	closedir(stream);
	return err;
}

int bypath_drop(int dir, const char *slug, const char *path, struct error *e)
{
	char key[KEY_SIZE];
	int err;

	key_of(path, key);
	err = streq(path, "/") ? drop_any(dir, slug) : drop(dir, key, slug);
	if (err == 0 && fsync(dir) < 0)
		err = -errno;
	return err < 0 ? error_errno(e, err, "forget the directory of '%s'", slug) : 0;
}

int bypath_each(int dir, int (*f)(const struct bypath *b, void *userdata), void *userdata)
{
	DIR *stream = open_stream(dir);
	struct dirent *d;
	int result = 0;

	if (!stream)
		return -errno;
	while (result == 0 && (d = readdir(stream))) {
		char text[TARGET_SIZE];
		struct bypath b;

		if (d->d_name[0] != '.' && get(dir, d->d_name, text, &b) == 0)
			result = f(&b, userdata);
	}
	closedir(stream);
	return result;
}

/* What cannot be read is left out: it is found by its name, and setup looks at it again. */
static int put_project(int dir, int projects, const char *slug)
{
	_cleanup_(project_file_done) struct project_file file = {0};
	_cleanup_close_ int project = -1;

	if (project_open(projects, slug, &project, NULL) < 0 ||
		project_file_load(project, slug, &file, NULL) < 0)
		return 0;
	return put(dir, slug, file.owner, file.path);
}

static int fill(int dir, struct error *e)
{
	_cleanup_(strv_freep) char **slugs = NULL;
	_cleanup_close_ int projects = -1;
	int err = projects_open(false, &projects, e);

	if (err == -ENOENT)
		return 0;
	if (err == 0)
		err = projects_list(&slugs, e);
	if (err < 0)
		return err;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the list is there with 0 */
	for (size_t i = 0; err == 0 && slugs[i]; i++)
		err = put_project(dir, projects, slugs[i]);
	if (err == 0 && fsync(dir) < 0)
		err = -errno;
	return err < 0 ? error_errno(e, err, "note the projects' directories") : 0;
}

static int open_folder(const char *path, int *ret_dir)
{
	*ret_dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_dir < 0 ? -errno : 0;
}

/* One that was killed has left it unfinished: this one goes on. */
static int make(struct error *e)
{
	_cleanup_close_ int dir = -1, state = -1;
	int err = mkdir(UNFINISHED, 0700) < 0 && errno != EEXIST ? -errno : 0;

	if (err == 0)
		err = open_folder(UNFINISHED, &dir);
	if (err == 0)
		err = open_folder(REGISTRY_STATE, &state);
	if (err < 0)
		return error_errno(e, err, "make '%s'", UNFINISHED);
	err = fill(dir, e);
	if (err < 0)
		return err;
	if (rename(UNFINISHED, FOLDER) < 0 || fsync(state) < 0)
		return error_errno(e, -errno, "make '%s'", FOLDER);
	return 0;
}

int bypath_open(const struct registry *held, int *ret_dir, struct error *e)
{
	_cleanup_registry_ struct registry lock = REGISTRY_EMPTY;
	_cleanup_close_ int dir = -1;
	int err = open_folder(FOLDER, &dir);

	if (err == -ENOENT && !held) {
		err = registry_lock(REGISTRY_STATE, &lock, e);
		if (err < 0)
			return err;
		err = open_folder(FOLDER, &dir); /* another may have made it meanwhile */
	}
	if (err == -ENOENT) {
		err = make(e);
		if (err < 0)
			return err;
		err = open_folder(FOLDER, &dir);
	}
	if (err < 0)
		return error_errno(e, err, "open '%s'", FOLDER);
	*ret_dir = TAKE_FD(dir);
	return 0;
}

int bypath_mend(struct error *e)
{
	_cleanup_registry_ struct registry lock = REGISTRY_EMPTY;
	_cleanup_close_ int dir = -1;
	int err = registry_lock(REGISTRY_STATE, &lock, e);

	if (err == 0)
		err = bypath_open(&lock, &dir, e);
	return err < 0 ? err : fill(dir, e);
}
