#include "config.h"
#include "lib/base/record.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>

#define RECORD_VERSION "1:"

static bool uid_fits(const char *name, uid_t uid)
{
	switch (identity_of(name)) {
	case IDENTITY_WORKER:
		return uid >= CLSECURE_UID_FIRST && uid <= CLSECURE_UID_LAST;
	case IDENTITY_GATEWAY:
		return uid == GATEWAY_UID;
	case IDENTITY_EGRESS:
		return uid == EGRESS_UID;
	case IDENTITY_PASTA:
		return uid == PASTA_UID;
	case IDENTITY_OTHER:
		break;
	}
	return false;
}

/* Decimal without sign, blanks or leading zeros, up to the end; 0 is no uid of ours. */
static uid_t parse_uid(const char *s, const char *end)
{
	uint64_t v = 0;

	if (s == end || *s == '0')
		return 0;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9' || v > UINT32_MAX / 10)
			return 0;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	return v < UINT32_MAX ? (uid_t)v : 0;
}

int record_parse(const char *text, size_t length, struct record *ret_record)
{
	const char *end = text + length, *name = text + strlen(RECORD_VERSION), *colon;
	struct record r = {0};

	if (length >= RECORD_MAX || length <= strlen(RECORD_VERSION) ||
	    memcmp(text, RECORD_VERSION, strlen(RECORD_VERSION)) != 0)
		return -EBADMSG;
	colon = memchr(name, ':', (size_t)(end - name));
	if (!colon || colon - name > WORKER_NAME_MAX)
		return -EBADMSG;
	memcpy(r.name, name, (size_t)(colon - name));
	r.uid = parse_uid(colon + 1, end);
	if (strlen(r.name) != (size_t)(colon - name) || !uid_fits(r.name, r.uid))
		return -EBADMSG;
	*ret_record = r;
	return 0;
}

int record_format(const struct record *record, char buf[static RECORD_MAX])
{
	if (!uid_fits(record->name, record->uid))
		return -EINVAL;
	snprintf(buf, RECORD_MAX, RECORD_VERSION "%s:%u", record->name, record->uid);
	return 0;
}

/* The record in the link root/kind/key. */
static int record_read(const char *root, const char *kind, const char *key, struct record *ret_record)
{
	char path[PATH_MAX], text[RECORD_MAX];
	size_t nroot = strlen(root), nkind = strlen(kind), nkey = strlen(key);
	ssize_t n;

	if (nroot + nkind + nkey + 1 > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, root, nroot);
	memcpy(path + nroot, kind, nkind);
	memcpy(path + nroot + nkind, key, nkey + 1);
	n = readlinkat(AT_FDCWD, path, text, sizeof(text));
	if (n < 0)
		return errno == EINVAL ? -EBADMSG : -errno; /* EINVAL: something else in the link's place */
	return record_parse(text, (size_t)n, ret_record);
}

static void format_uid(uid_t uid, char buf[static 11])
{
	char *p = buf + 10;
	size_t n;

	*p = '\0';
	do
		*--p = (char)('0' + uid % 10);
	while (uid /= 10);
	n = (size_t)(buf + 10 - p);
	memmove(buf, p, n + 1);
}

static bool same(const struct record *a, const struct record *b)
{
	return a->uid == b->uid && streq(a->name, b->name);
}

int record_by_name(const char *root, const char *name, struct record *ret_record)
{
	struct record r, other;
	char key[11];
	int err;

	if (identity_of(name) == IDENTITY_OTHER)
		return -ENOENT;
	err = record_read(root, "/name/", name, &r);
	if (err < 0)
		return err;
	if (!streq(r.name, name))
		return -EBADMSG;
	format_uid(r.uid, key);
	err = record_read(root, "/uid/", key, &other);
	if (err < 0)
		return err;
	if (!same(&r, &other))
		return -EBADMSG;
	*ret_record = r;
	return 0;
}

int record_by_uid(const char *root, uid_t uid, struct record *ret_record)
{
	struct record r, other;
	char key[11];
	int err;

	if (uid < UID_RESERVED_FIRST || uid > CLSECURE_UID_LAST)
		return -ENOENT;
	format_uid(uid, key);
	err = record_read(root, "/uid/", key, &r);
	if (err < 0)
		return err;
	if (r.uid != uid)
		return -EBADMSG;
	err = record_read(root, "/name/", r.name, &other);
	if (err < 0)
		return err;
	if (!same(&r, &other))
		return -EBADMSG;
	*ret_record = r;
	return 0;
}
