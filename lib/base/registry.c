#include "config.h"
#include "lib/base/registry-links.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define ARMED "armed"
#define ARMED_TARGET "registry"
#define LOCK_TRIES 500
#define LOCK_PAUSE_NS (20 * 1000 * 1000)

/* Opens a directory that must be ours and, when `mode` is not 0, has that mode afterwards. */
static int open_dir(int at, const char *name, mode_t mode, int *ret_fd, struct error *e)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = openat(at, name,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return error_errno(e, -errno, "open '%s'", name);
	if (fstat(fd, &st) < 0)
		return error_errno(e, -errno, "stat '%s'", name);
	if (st.st_uid != geteuid())
		return error_set(e, -EPERM, "'%s' belongs to uid %u, not to root", name, st.st_uid);
	if (mode && (st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return error_errno(e, -errno, "chmod '%s'", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_dir(int at, const char *name, mode_t mode, struct error *e)
{
	_cleanup_close_ int fd = -1;
	int err;

	/* Narrow at first: the umask is the caller's, and open_dir() gives it the mode. */
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return error_errno(e, -errno, "make '%s'", name);
	err = open_dir(at, name, mode, &fd, e);
	if (err < 0)
		return err;
	return fsync(fd) < 0 ? error_errno(e, -errno, "sync '%s'", name) : 0;
}

static int make_dirs(const char *state, struct error *e)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = {
		{"registry", 0755}, {"registry/name", 0755}, {"registry/uid", 0755},
		{"registry/map", 0755}, {"projects", 0700}, {"tombstones", 0700},
	};
	_cleanup_close_ int fd = -1;
	int err;

	err = make_dir(AT_FDCWD, state, 0755, e);
	if (err == 0)
		err = open_dir(AT_FDCWD, state, 0, &fd, e);
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(dirs); i++)
		err = make_dir(fd, dirs[i].name, dirs[i].mode, e);
	if (err == 0 && fsync(fd) < 0)
		err = error_errno(e, -errno, "sync '%s'", state);
	return err;
}

static int take_lock(int state, struct registry *r, struct error *e)
{
	static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	/* Nobody else may open it: a lock that strangers can take is theirs to keep. */
	r->lock = openat(state, "registry.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r->lock < 0)
		return error_errno(e, -errno, "open the registry's lock");
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(e, -errno, "lock the registry");
		nanosleep(&pause, NULL);
	}
	return error_set(e, -ETIMEDOUT, "the registry is locked by another process for too long");
}

void registry_unlock(struct registry *r)
{
	static const struct registry empty = REGISTRY_EMPTY;
	const int fds[] = {r->name, r->uid, r->map, r->tombstones, r->lock};

	for (size_t i = 0; i < ELEMENTSOF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	*r = empty;
}

int registry_lock(const char *state, struct registry *ret_registry, struct error *e)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
	static const struct registry empty = REGISTRY_EMPTY;
	_cleanup_close_ int fd = -1;
	int err;

	err = open_dir(AT_FDCWD, state, 0, &fd, e);
	if (err == 0)
		err = open_dir(fd, "registry/name", 0, &r.name, e);
	if (err == 0)
		err = open_dir(fd, "registry/uid", 0, &r.uid, e);
	if (err == 0)
		err = open_dir(fd, "registry/map", 0, &r.map, e);
	if (err == 0)
		err = open_dir(fd, "tombstones", 0, &r.tombstones, e);
	if (err == 0)
		err = take_lock(fd, &r, e);
	if (err < 0)
		return err;
	*ret_registry = r;
	r = empty;
	return 0;
}

/* One of the identities that are no projects. */
static int claim(const struct registry *r, const char *name, uid_t uid, struct error *e)
{
	struct record want = {.uid = uid}, is;
	char text[RECORD_MAX], key[UID_KEY_MAX];
	int has, err;

	memcpy(want.name, name, strlen(name) + 1);
	uid_key(uid, key);
	if (link_read(r->name, name, &is) == 0 && is.uid == uid &&
	    link_read(r->uid, key, &is) == 0 && streq(is.name, name))
		return 0;
	has = nss_has_name(name);
	if (has == 0)
		has = nss_has_uid(uid);
	if (has < 0)
		return error_errno(e, has, "ask for user '%s' and uid %u", name, uid);
	if (has > 0)
		return error_set(e, -EEXIST, "user '%s' or uid %u is another's on this host", name,
			uid);
	err = record_format(&want, text);
	if (err == 0)
		err = link_put(r->uid, key, text);
	if (err == 0)
		err = link_put(r->name, name, text);
	return err < 0 ? error_errno(e, err, "register '%s'", name) : 0;
}

/* Takes away uids without a name, and makes the map anew. */
static int mend(const struct registry *r, struct error *e)
{
	struct dirent *d;
	DIR *stream;
	int err = 0;

	stream = open_stream(r->uid);
	if (!stream)
		return error_errno(e, -errno, "read the registry");
	while (err >= 0 && (d = readdir(stream))) {
		uid_t uid = uid_of_key(d->d_name);

		err = uid >= CLSECURE_UID_FIRST ? uid_link_free(r, uid) : 0;
	}
	closedir(stream);
	if (err >= 0)
		err = map_update(r);
	return err < 0 ? error_errno(e, err, "mend the registry") : 0;
}

int registry_init(const char *state, struct error *e)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
	int err, has;

	err = make_dirs(state, e);
	if (err == 0)
		err = registry_lock(state, &r, e);
	if (err < 0)
		return err;
	has = nss_has_gid(PERSON_GID);
	if (has < 0)
		return error_errno(e, has, "ask for gid %u", PERSON_GID);
	if (has > 0)
		return error_set(e, -EEXIST, "gid %u is another's on this host", PERSON_GID);
	err = claim(&r, GATEWAY_NAME, GATEWAY_UID, e);
	if (err == 0)
		err = claim(&r, EGRESS_NAME, EGRESS_UID, e);
	if (err == 0)
		err = claim(&r, PASTA_NAME, PASTA_UID, e);
	return err == 0 ? mend(&r, e) : err;
}

int registry_arm(const char *state, struct error *e)
{
	_cleanup_registry_ struct registry r = REGISTRY_EMPTY;
	_cleanup_close_ int fd = -1;
	int err;

	err = registry_lock(state, &r, e); /* that it is whole, and that .new is ours */
	if (err == 0)
		err = open_dir(AT_FDCWD, state, 0, &fd, e);
	if (err < 0 || registry_armed(state) == 1)
		return err;
	err = link_put(fd, ARMED, ARMED_TARGET);
	return err < 0 ? error_errno(e, err, "arm the registry") : 0;
}

int registry_disarm(const char *state, struct error *e)
{
	_cleanup_close_ int fd = -1;
	int err;

	/* No lock: nothing may keep the names from going away. */
	err = open_dir(AT_FDCWD, state, 0, &fd, NULL);
	if (err == 0)
		err = link_drop(fd, ARMED);
	return err < 0 && err != -ENOENT ? error_errno(e, err, "disarm the registry") : 0;
}

int registry_armed(const char *state)
{
	char path[PATH_MAX], target[sizeof(ARMED_TARGET) + 1];
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/" ARMED, state) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	n = readlink(path, target, sizeof(target));
	if (n < 0)
		return errno == ENOENT || errno == EINVAL ? 0 : -errno;
	return n == (ssize_t)strlen(ARMED_TARGET) && memcmp(target, ARMED_TARGET, (size_t)n) == 0;
}

int registry_foreach(const char *state, int (*f)(const struct record *record, void *userdata),
		     void *userdata)
{
	char root[PATH_MAX], names[PATH_MAX];
	struct dirent *d;
	int result = 0;
	DIR *stream;

	if (snprintf(root, sizeof(root), "%s/registry", state) >= (int)sizeof(root) ||
	    snprintf(names, sizeof(names), "%s/registry/name", state) >= (int)sizeof(names))
		return -ENAMETOOLONG;
	stream = opendir(names);
	if (!stream)
		return -errno;
	while (result == 0 && (d = readdir(stream))) {
		struct record r;

		if (record_by_name(root, d->d_name, &r) == 0)
			result = f(&r, userdata);
	}
	closedir(stream);
	return result;
}
