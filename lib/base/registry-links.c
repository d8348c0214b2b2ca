#include "config.h"
#include "lib/base/registry-links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>

#define MAP_BLOCKS ((CLSECURE_UID_LAST - CLSECURE_UID_FIRST) / RECORD_MAP_BITS + 1)

int link_read(int dir, const char *key, struct record *ret_record)
{
	char text[RECORD_MAX];
	ssize_t n;

	n = readlinkat(dir, key, text, sizeof(text));
	if (n < 0)
		return errno == EINVAL ? -EBADMSG : -errno;
	return record_parse(text, (size_t)n, ret_record);
}

static int sync_dir(int dir)
{
	return fsync(dir) < 0 ? -errno : 0;
}

int link_put(int dir, const char *key, const char *target)
{
	int err;

	if (unlinkat(dir, REGISTRY_TEMPORARY, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(target, dir, REGISTRY_TEMPORARY) < 0)
		return -errno;
	if (renameat(dir, REGISTRY_TEMPORARY, dir, key) < 0) {
		err = -errno;
		unlinkat(dir, REGISTRY_TEMPORARY, 0);
		return err;
	}
	return sync_dir(dir);
}

int link_drop(int dir, const char *key)
{
	if (unlinkat(dir, key, 0) < 0 &&
	    (errno != EISDIR || unlinkat(dir, key, AT_REMOVEDIR) < 0))
		return -errno;
	return sync_dir(dir);
}

void uid_key(uid_t uid, char buf[static UID_KEY_MAX])
{
	snprintf(buf, UID_KEY_MAX, "%u", uid);
}

uid_t uid_of_key(const char *key)
{
	char again[UID_KEY_MAX];
	unsigned long long uid = 0;

	for (const char *s = key; *s; s++) {
		if (*s < '0' || *s > '9' || s - key >= UID_KEY_MAX - 1)
			return 0;
		uid = uid * 10 + (unsigned)(*s - '0');
	}
	if (uid < UID_RESERVED_FIRST || uid > CLSECURE_UID_LAST)
		return 0;
	uid_key((uid_t)uid, again);
	return streq(key, again) ? (uid_t)uid : 0;
}

DIR *open_stream(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy < 0 ? NULL : fdopendir(copy);

	if (!stream && copy >= 0)
		close(copy);
	return stream;
}

/* Writes the block unless it says that already; none is the same as one without bits. */
static int map_put(int dir, unsigned block, const struct record_map *map)
{
	static const struct record_map none;
	char key[UID_KEY_MAX], text[RECORD_MAP_MAX], is[RECORD_MAP_MAX];
	ssize_t n;

	record_map_format(map, text);
	uid_key(block, key);
	n = readlinkat(dir, key, is, sizeof(is));
	if (n < 0 && errno == ENOENT && memcmp(map, &none, sizeof(none)) == 0)
		return 0;
	if (n == (ssize_t)strlen(text) && memcmp(is, text, (size_t)n) == 0)
		return 0;
	return link_put(dir, key, text);
}

int map_update(const struct registry *registry)
{
	_cleanup_free_ struct record_map *maps = NULL;
	struct dirent *d;
	DIR *stream;
	int err = 0;

	maps = calloc(MAP_BLOCKS, sizeof(*maps));
	if (!maps)
		return -ENOMEM;
	stream = open_stream(registry->uid);
	if (!stream)
		return -errno;
	while ((d = readdir(stream))) {
		uid_t uid = uid_of_key(d->d_name);

		if (uid >= CLSECURE_UID_FIRST)
			record_map_set(&maps[(uid - CLSECURE_UID_FIRST) / RECORD_MAP_BITS],
				       (uid - CLSECURE_UID_FIRST) % RECORD_MAP_BITS);
	}
	closedir(stream);
	for (unsigned i = 0; err == 0 && i < MAP_BLOCKS; i++)
		err = map_put(registry->map, i, &maps[i]);
	return err;
}

/*
 * What getpwnam_r(3) and its relations return.  ERANGE: there is one, longer than we care to read;
 * the others of getpwnam(3)'s list mean that there is none.
 */
static int nss_result(int err, bool found)
{
	switch (err) {
	case 0:
		return found;
	case ERANGE:
		return 1;
	case ENOENT:
	case ESRCH:
	case EBADF:
	case EPERM:
		return 0;
	default:
		return -err;
	}
}

int nss_has_name(const char *name)
{
	struct passwd pw, *ppw = NULL;
	struct group gr, *pgr = NULL;
	char buf[4096];
	int err, has;

	err = getpwnam_r(name, &pw, buf, sizeof(buf), &ppw);
	has = nss_result(err, ppw);
	if (has != 0)
		return has;
	err = getgrnam_r(name, &gr, buf, sizeof(buf), &pgr);
	return nss_result(err, pgr);
}

int nss_has_gid(gid_t gid)
{
	struct group gr, *pgr = NULL;
	char buf[4096];
	int err;

	err = getgrgid_r(gid, &gr, buf, sizeof(buf), &pgr);
	return nss_result(err, pgr);
}

int nss_has_uid(uid_t uid)
{
	struct passwd pw, *ppw = NULL;
	char buf[4096];
	int err, has;

	err = getpwuid_r(uid, &pw, buf, sizeof(buf), &ppw);
	has = nss_result(err, ppw);
	return has == 0 ? nss_has_gid(uid) : has;
}

int uid_link_free(const struct registry *registry, uid_t uid)
{
	struct record r = {0}, named = {0};
	char key[UID_KEY_MAX];
	int err;

	uid_key(uid, key);
	err = link_read(registry->uid, key, &r);
	if (err == -ENOENT)
		return 1;
	if (err == -EBADMSG || (err == 0 && r.uid != uid))
		return 0;
	if (err < 0)
		return err;
	err = link_read(registry->name, r.name, &named);
	/* A damaged name may have meant this uid: that one keeps it. */
	if (err == -EBADMSG || (err == 0 && (!streq(named.name, r.name) || named.uid == uid)))
		return 0;
	if (err < 0 && err != -ENOENT)
		return err;
	err = link_drop(registry->uid, key);
	return err < 0 ? err : 1;
}
