#include "config.h"
#include "lib/base/record.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#define RECORD_VERSION "1:"
#define UID_DIGITS 10
#define HEX_DIGITS "0123456789abcdef"

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

/* Decimal at p; returns its end.  By hand: snprintf(3) knows locales and takes memory. */
static char *format_uid(char *p, uid_t uid)
{
	char digits[UID_DIGITS];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + uid % 10);
	while (uid /= 10);
	while (n > 0)
		*p++ = digits[--n];
	*p = '\0';
	return p;
}

int record_format(const struct record *record, char buf[static RECORD_MAX])
{
	size_t nversion = strlen(RECORD_VERSION), nname = strlen(record->name);

	if (!uid_fits(record->name, record->uid))
		return -EINVAL;
	memcpy(buf, RECORD_VERSION, nversion);
	memcpy(buf + nversion, record->name, nname);
	buf[nversion + nname] = ':';
	format_uid(buf + nversion + nname + 1, record->uid);
	return 0;
}

/* The target of the link root/kind/key: its length (size: it may have been cut), or -errno. */
static ssize_t read_target(const char *root, const char *kind, const char *key, char *text,
	size_t size)
{
	char path[1024];
	size_t nroot = strlen(root), nkind = strlen(kind), nkey = strlen(key);
	ssize_t n;

	if (nroot + nkind + nkey + 1 > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, root, nroot);
	memcpy(path + nroot, kind, nkind);
	memcpy(path + nroot + nkind, key, nkey + 1);
	n = readlinkat(AT_FDCWD, path, text, size);
	if (n < 0)
		/* EINVAL: something else in the link's place */
		return errno == EINVAL ? -EBADMSG : -errno;
	return n;
}

static int record_read(const char *root, const char *kind, const char *key,
	struct record *ret_record)
{
	char text[RECORD_MAX];
	ssize_t n = read_target(root, kind, key, text, sizeof(text));

	return n < 0 ? (int)n : record_parse(text, (size_t)n, ret_record);
}

static bool same(const struct record *a, const struct record *b)
{
	return a->uid == b->uid && streq(a->name, b->name);
}

int record_by_name(const char *root, const char *name, struct record *ret_record)
{
	struct record r, other;
	char key[UID_DIGITS + 1];
	int err;

	if (identity_of(name) == IDENTITY_OTHER)
		return -ENOENT;
	err = record_read(root, "/name/", name, &r);
	if (err < 0)
		return err;
	if (!streq(r.name, name))
		return -EBADMSG;
	format_uid(key, r.uid);
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
	char key[UID_DIGITS + 1];
	int err;

	if (uid < UID_RESERVED_FIRST || uid > CLSECURE_UID_LAST)
		return -ENOENT;
	format_uid(key, uid);
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

void record_map_set(struct record_map *map, unsigned bit)
{
	if (bit < RECORD_MAP_BITS)
		map->digit[bit / 4] |= (unsigned char)(1U << bit % 4);
}

void record_map_format(const struct record_map *map, char buf[static RECORD_MAP_MAX])
{
	size_t nversion = strlen(RECORD_VERSION);

	memcpy(buf, RECORD_VERSION, nversion);
	for (size_t i = 0; i < sizeof(map->digit); i++)
		buf[nversion + i] = HEX_DIGITS[map->digit[i] & 15];
	buf[nversion + sizeof(map->digit)] = '\0';
}

static int map_parse(const char *text, size_t length, struct record_map *ret_map)
{
	size_t nversion = strlen(RECORD_VERSION);

	if (length != RECORD_MAP_MAX - 1 || memcmp(text, RECORD_VERSION, nversion) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(ret_map->digit); i++) {
		const char *digit = memchr(HEX_DIGITS, text[nversion + i], 16);

		if (!digit)
			return -EBADMSG;
		ret_map->digit[i] = (unsigned char)(digit - HEX_DIGITS);
	}
	return 0;
}

static void map_read(const char *root, unsigned block, struct record_map *ret_map)
{
	char text[RECORD_MAP_MAX], key[UID_DIGITS + 1];
	ssize_t n;

	format_uid(key, block);
	n = read_target(root, "/map/", key, text, sizeof(text));
	/* A hint that cannot be understood hides nobody: then each uid is tried. */
	if (n == -EBADMSG || (n >= 0 && map_parse(text, (size_t)n, ret_map) < 0))
		memset(ret_map->digit, 15, sizeof(ret_map->digit));
	else if (n < 0)
		memset(ret_map->digit, 0, sizeof(ret_map->digit));
}

static int next_in_block(const char *root, unsigned block, unsigned bit, struct record *ret_record)
{
	struct record_map map;
	uid_t first = (uid_t)CLSECURE_UID_FIRST + block * RECORD_MAP_BITS;

	map_read(root, block, &map);
	for (; bit < RECORD_MAP_BITS; bit++)
		if ((map.digit[bit / 4] >> bit % 4 & 1) &&
		    record_by_uid(root, first + bit, ret_record) == 0)
			return 0;
	return -ENOENT;
}

int record_next(const char *root, uid_t after, struct record *ret_record)
{
	uid_t uid = after < UID_RESERVED_FIRST ? UID_RESERVED_FIRST : after + 1;

	if (after >= CLSECURE_UID_LAST)
		return -ENOENT;
	for (; uid < CLSECURE_UID_FIRST; uid++)
		if (record_by_uid(root, uid, ret_record) == 0)
			return 0;
	while (uid <= CLSECURE_UID_LAST) {
		unsigned block = (uid - CLSECURE_UID_FIRST) / RECORD_MAP_BITS;
		unsigned bit = (uid - CLSECURE_UID_FIRST) % RECORD_MAP_BITS;

		if (next_in_block(root, block, bit, ret_record) == 0)
			return 0;
		uid += RECORD_MAP_BITS - bit;
	}
	return -ENOENT;
}
