#include "config.h"
#include "nss_clsecure/lookup.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

char *space_put(struct space *space, const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	char *s = space->next;

	if (na + nb >= space->left)
		return NULL;
	memcpy(s, a, na);
	memcpy(s + na, b, nb + 1);
	space->next += na + nb + 1;
	space->left -= na + nb + 1;
	return s;
}

char **space_put_empty_list(struct space *space)
{
	size_t pad = -(uintptr_t)space->next % _Alignof(char *);
	char **list;

	if (space->left < pad + sizeof(*list))
		return NULL;
	list = (char **)(void *)(space->next + pad);
	*list = NULL;
	space->next += pad + sizeof(*list);
	space->left -= pad + sizeof(*list);
	return list;
}

/* The end of each look-up: what record_by_...() said, as NSS says it. */
static enum nss_status answer(int err, const struct record *record, fill_fn fill, void *result,
			      char *buf, size_t size, int *errnop)
{
	struct space space = {buf, size};

	switch (err) {
	case 0:
		if (fill(record, result, &space))
			return NSS_STATUS_SUCCESS;
		*errnop = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	case -ENOENT:
	case -ENOTDIR:
	case -EBADMSG: /* damaged: as if it were not there */
		return NSS_STATUS_NOTFOUND;
	default:
		*errnop = -err;
		return NSS_STATUS_UNAVAIL;
	}
}

enum nss_status nss_by_name(const char *name, fill_fn fill, void *result, char *buf, size_t size,
			    int *errnop)
{
	struct record record;
	int saved = errno, err;

	err = record_by_name(NSS_ROOT, name, &record);
	errno = saved;
	return answer(err, &record, fill, result, buf, size, errnop);
}

enum nss_status nss_by_id(uid_t id, fill_fn fill, void *result, char *buf, size_t size, int *errnop)
{
	struct record record;
	int saved = errno, err;

	err = record_by_uid(NSS_ROOT, id, &record);
	errno = saved;
	return answer(err, &record, fill, result, buf, size, errnop);
}

enum nss_status nss_next(_Atomic uid_t *cursor, fill_fn fill, void *result, char *buf, size_t size,
			 int *errnop)
{
	int saved = errno, err;

	for (;;) {
		uid_t after = atomic_load(cursor);
		struct record record;
		enum nss_status status;

		err = record_next(NSS_ROOT, after, &record);
		errno = saved;
		status = answer(err, &record, fill, result, buf, size, errnop);
		/* Too small a buffer: the same record again at the next call. */
		if (status != NSS_STATUS_SUCCESS ||
		    atomic_compare_exchange_strong(cursor, &after, record.uid))
			return status;
	}
}
