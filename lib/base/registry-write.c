#include "config.h"
#include "lib/base/registry-links.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

#define UIDS ((uint64_t)CLSECURE_UID_LAST - CLSECURE_UID_FIRST + 1)

/* FNV-1a: the same slug begins at the same uid on every host. */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return h;
}

/* 1: it may be given; 0: it is somebody's; -errno. */
static int uid_usable(const struct registry *r, uid_t uid)
{
	int ok = uid_link_free(r, uid), has;

	if (ok <= 0)
		return ok;
	has = nss_has_uid(uid);
	return has < 0 ? has : !has;
}

/*
 * A uid of the owner's own, given back before: of this path; or, of one who has given back many,
 * the first of any path, so that adding and removing in a loop does not use up the range.  0: none.
 */
static int choose_again(const struct registry *r, const char *slug, uid_t owner, const char *path,
			uid_t *ret_uid)
{
	uid_t uid = tombstone_find(r->tombstones, owner, slug, path);
	int ok = 0;

	for (int i = 0; i < 2 && ok == 0; i++) {
		if (i > 0)
			uid = tombstone_oldest(r->tombstones, owner, REGISTRY_GIVEN_BACK);
		if (uid >= CLSECURE_UID_FIRST && uid <= CLSECURE_UID_LAST)
			ok = uid_usable(r, uid);
	}
	if (ok > 0)
		*ret_uid = uid;
	return ok;
}

static int choose_uid(const struct registry *r, const char *slug, uid_t owner, const char *path,
		      uid_t *ret_uid)
{
	uint64_t start = hash(slug);
	int ok = choose_again(r, slug, owner, path, ret_uid);

	if (ok != 0)
		return ok < 0 ? ok : 0;
	for (uint64_t i = 0; i < UIDS; i++) {
		uid_t uid = (uid_t)(CLSECURE_UID_FIRST + (start + i) % UIDS);

		if (tombstone_there(r->tombstones, uid))
			continue;
		ok = uid_usable(r, uid);
		if (ok < 0)
			return ok;
		if (ok > 0) {
			*ret_uid = uid;
			return 0;
		}
	}
	return -ENOSPC;
}

/* The order is the point: a name is there only when all that it needs is. */
static int put_record(const struct registry *r, const struct record *record)
{
	char text[RECORD_MAX], key[UID_KEY_MAX];
	int err;

	err = record_format(record, text);
	if (err < 0)
		return err;
	uid_key(record->uid, key);
	err = link_put(r->uid, key, text);
	if (err == 0)
		err = map_update(r);
	if (err == 0)
		err = link_put(r->name, record->name, text);
	if (err < 0) {
		/* A name that is there but not known to be durable goes first. */
		link_drop(r->name, record->name);
		link_drop(r->uid, key);
		map_update(r);
	}
	return err;
}

static int check_request(const char *slug, uid_t owner, const char *path, struct error *e)
{
	if (!slug_valid(slug))
		return error_set(e, -EINVAL, "'%s' is no name for a project", slug);
	if (slug_reserved(slug))
		return error_set(e, -EINVAL, "'%s' is a command's name", slug);
	if (path[0] != '/')
		return error_set(e, -EINVAL, "'%s' is not an absolute path", path);
	if (strlen(path) >= PATH_MAX)
		return error_set(e, -ENAMETOOLONG, "the path of '%s' is too long", slug);
	if (owner >= UID_RESERVED_FIRST && owner <= CLSECURE_UID_LAST)
		return error_set(e, -EINVAL, "uid %u is clsecure's and owns no projects", owner);
	return 0;
}

/* That nobody has the name: neither we nor another source of NSS. */
static int check_name(const struct registry *r, const char *name, struct error *e)
{
	struct record is, other;
	char key[UID_KEY_MAX];
	int err, has;

	err = link_read(r->name, name, &is);
	if (err == 0) {
		uid_key(is.uid, key);
		if (streq(is.name, name) && link_read(r->uid, key, &other) == 0 &&
		    streq(other.name, name) && other.uid == is.uid)
			return error_set(e, -EEXIST, "'%s' is registered already", name);
		err = -EBADMSG;
	}
	if (err == -EBADMSG)
		return error_set(e, err, "the registry's record of '%s' is damaged; remove it",
			name);
	if (err != -ENOENT)
		return error_errno(e, err, "read the registry's record of '%s'", name);
	has = nss_has_name(name);
	if (has < 0)
		return error_errno(e, has, "ask for user '%s'", name);
	return has ? error_set(e, -EEXIST, "user '%s' is another's on this host", name) : 0;
}

int registry_add(struct registry *r, const char *slug, uid_t owner, const char *path,
		 struct record *ret_record, struct error *e)
{
	struct record record = {0};
	int err;

	err = check_request(slug, owner, path, e);
	if (err < 0)
		return err;
	worker_name(slug, record.name);
	err = check_name(r, record.name, e);
	if (err < 0)
		return err;
	err = choose_uid(r, slug, owner, path, &record.uid);
	if (err == -ENOSPC)
		return error_set(e, err, "no uid is left between %u and %u",
				 (unsigned)CLSECURE_UID_FIRST, (unsigned)CLSECURE_UID_LAST);
	if (err < 0)
		return error_errno(e, err, "find a uid for '%s'", slug);
	/*
	 * First what taking the user away will need, so that a disk that is too full for it refuses
	 * now.  It says whose the uid is: should the rest fail, it may stay.
	 */
	err = tombstone_put(r->tombstones, record.uid, owner, slug, path);
	if (err == 0)
		err = put_record(r, &record);
	if (err < 0)
		return error_errno(e, err, "register '%s'", record.name);
	/* Its tombstone would say the same again; that it stays when this fails does no harm. */
	tombstone_drop(r->tombstones, record.uid);
	*ret_record = record;
	return 0;
}

/* A uid whose link carries this name, or 0.  Looks at all of them: only for what is damaged. */
static int uid_by_scan(const struct registry *r, const char *name, uid_t *ret_uid)
{
	struct record is;
	struct dirent *d;
	DIR *stream;

	*ret_uid = 0;
	stream = open_stream(r->uid);
	if (!stream)
		return -errno;
	while (*ret_uid == 0 && (d = readdir(stream))) {
		uid_t uid = uid_of_key(d->d_name);

		if (uid && link_read(r->uid, d->d_name, &is) == 0 && is.uid == uid &&
		    streq(is.name, name))
			*ret_uid = uid;
	}
	closedir(stream);
	return 0;
}

/* Whether the uid's link is this name's, or nobody's. */
static bool uid_is_of(const struct registry *r, uid_t uid, const char *name)
{
	struct record is;
	char key[UID_KEY_MAX];
	int err;

	uid_key(uid, key);
	err = link_read(r->uid, key, &is);
	return err == -ENOENT || (err == 0 && streq(is.name, name));
}

static int drop_if_there(int dir, const char *key)
{
	int err = link_drop(dir, key);

	return err == -ENOENT ? 0 : err;
}

static int remove_uid(const struct registry *r, uid_t uid)
{
	char key[UID_KEY_MAX];
	int err;

	uid_key(uid, key);
	err = drop_if_there(r->uid, key);
	return err < 0 ? err : map_update(r);
}

int registry_remove(struct registry *r, const char *slug, uid_t owner, const char *path,
		    struct error *e)
{
	char name[WORKER_NAME_MAX + 1];
	struct record is = {0};
	int err, named;
	uid_t uid;

	if (!slug_valid(slug))
		return error_set(e, -EINVAL, "'%s' is no name for a project", slug);
	worker_name(slug, name);
	named = link_read(r->name, name, &is);
	if (named < 0 && named != -ENOENT && named != -EBADMSG)
		return error_errno(e, named, "read the registry's record of '%s'", name);
	uid = named == 0 && streq(is.name, name) ? is.uid : 0;
	err = uid ? 0 : uid_by_scan(r, name, &uid);
	if (err == 0 && named == -ENOENT && uid == 0)
		return error_set(e, -ENOENT, "'%s' is not registered", name);
	/* Before anything goes: from here on the uid is nobody else's. */
	if (err == 0 && uid && uid_is_of(r, uid, name))
		err = tombstone_put(r->tombstones, uid, owner, slug, path);
	if (err == 0)
		err = drop_if_there(r->name, name);
	while (err == 0 && uid && uid_is_of(r, uid, name)) {
		err = remove_uid(r, uid);
		if (err == 0 && named < 0)
			err = uid_by_scan(r, name, &uid);
		else
			uid = 0;
	}
	return err < 0 ? error_errno(e, err, "remove '%s'", name) : 0;
}
