#include "config.h"
#include "lib/sandbox/reached.h"
#include "lib/base/macros.h"
#include "lib/base/person.h"
#include "lib/policy/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NAME "network"
#define NEW_NAME ".network.new"

/* The file is a reply as clsecure-egress gives it, and is read like one. */
#define FILE_MAX (sizeof(struct egress_reply) + REACHED_MAX * sizeof(struct egress_record))

static bool same(const struct egress_record *a, const struct egress_record *b)
{
	return a->reason == b->reason && a->port == b->port && streq(a->name, b->name) &&
		streq(a->rule, b->rule) && streq(a->detail, b->detail);
}

static struct reached_entry *find(struct reached *all, const struct egress_record *r)
{
	for (size_t i = 0; i < all->n; i++)
		if (same(&all->entries[i].r, r))
			return &all->entries[i];
	return NULL;
}

static struct reached_entry *oldest(struct reached *all)
{
	struct reached_entry *found = &all->entries[0];

	for (size_t i = 1; i < all->n; i++)
		if (all->entries[i].r.change < found->r.change)
			found = &all->entries[i];
	return found;
}

static struct reached_entry *room(struct reached *all)
{
	struct reached_entry *more;

	if (all->n >= REACHED_MAX)
		return oldest(all);
	more = reallocarray(all->entries, all->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	all->entries = more;
	return &all->entries[all->n++];
}

void reached_take(struct reached *all, const struct egress_record *r)
{
	struct reached_entry *at = find(all, r);
	uint64_t first = at ? at->r.first : r->first;

	if (!at) {
		at = room(all);
		if (!at)
			return;
		*at = (struct reached_entry){0};
	}
	at->r = *r;
	at->r.first = first;
	at->r.sent += at->sent;
	at->r.received += at->received;
	at->r.count += at->count;
	at->r.change = ++all->change;
}

void reached_fold(struct reached *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct reached_entry *at = &all->entries[i];

		if (at->r.open > 0) {
			at->r.open = 0;
			at->r.change = ++all->change;
		}
		at->sent = at->r.sent;
		at->received = at->r.received;
		at->count = at->r.count;
	}
}

static int by_change(const void *a, const void *b)
{
	const struct egress_record *x = a, *y = b;

	return x->change < y->change ? -1 : x->change > y->change;
}

int reached_since(const struct reached *all, uint64_t from, struct egress_record **ret_records,
	size_t *ret_n)
{
	struct egress_record *records = calloc(all->n + 1, sizeof(*records));
	size_t n = 0;

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++)
		if (all->entries[i].r.change > from)
			records[n++] = all->entries[i].r;
	qsort(records, n, sizeof(*records), by_change);
	*ret_records = records;
	*ret_n = n;
	return 0;
}

static bool write_all(int fd, const void *data, size_t size)
{
	return write(fd, data, size) == (ssize_t)size;
}

int reached_file(const struct reached *all, uint64_t from, int *ret_fd)
{
	_cleanup_close_ int fd = memfd_create("clsecure-reached", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	_cleanup_free_ struct egress_record *records = NULL;
	size_t n = 0;
	int err = fd < 0 ? -errno : reached_since(all, from, &records, &n);

	if (err < 0)
		return err;
	if (!write_all(fd, records, n * sizeof(*records)) ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -EIO;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_log(const char *slug)
{
	char path[256];

	snprintf(path, sizeof(path), PROJECTS_DIR "/%s/log", slug);
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void reached_load(const char *slug, struct reached *all)
{
	_cleanup_close_ int dir = open_log(slug), fd = -1;
	_cleanup_free_ char *data = NULL;
	const struct egress_record *records;
	size_t size, n;

	if (dir >= 0)
		fd = openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || read_whole(fd, FILE_MAX, &data, &size) < 0 ||
		egress_records(data, size, &records, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		reached_take(all, &records[i]);
	reached_fold(all);
}

void reached_save(const char *slug, const struct reached *all)
{
	const struct egress_reply head = {.version = EGRESS_VERSION, .op = EGRESS_LOG};
	_cleanup_close_ int dir = open_log(slug), fd = -1;
	_cleanup_free_ struct egress_record *records = NULL;
	size_t n = 0;

	if (dir < 0 || all->n == 0 || reached_since(all, 0, &records, &n) < 0)
		return;
	fd = openat(dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (!write_all(fd, &head, sizeof(head)) ||
		!write_all(fd, records, n * sizeof(*records)) ||
		renameat(dir, NEW_NAME, dir, NAME) < 0)
		unlinkat(dir, NEW_NAME, 0);
}

void reached_done(struct reached *all)
{
	free(all->entries);
	*all = (struct reached){0};
}
