#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <time.h>

#define ENTRIES 2048
#define BUCKETS 1024

struct journal_entry {
	TAILQ_ENTRY(journal_entry) order; /* the last change is last */
	LIST_ENTRY(journal_entry) bucket;
	uint64_t change, first, last, sent, received;
	uint32_t count, open, reason;
	uint16_t port;
	char *name, *rule, *detail;
};

static struct {
	uint64_t change;
	size_t n;
	TAILQ_HEAD(order, journal_entry) order;
	LIST_HEAD(bucket, journal_entry) buckets[BUCKETS];
	struct journal_entry common; /* where memory runs out */
} j = {.order = TAILQ_HEAD_INITIALIZER(j.order)};

static size_t hash(const char *name, uint16_t port, uint32_t reason)
{
	size_t h = (size_t)port * 31 + reason;

	for (; *name; name++)
		h = h * 33 + (unsigned char)*name;
	return h % BUCKETS;
}

static bool is(const struct journal_entry *e, const char *name, uint16_t port, uint32_t reason,
	const char *rule, const char *detail)
{
	return e->port == port && e->reason == reason && streq(e->name, name) &&
		streq(e->rule, rule) && streq(e->detail, detail);
}

static struct journal_entry *find(size_t h, const char *name, uint16_t port, uint32_t reason,
	const char *rule, const char *detail)
{
	struct journal_entry *e;

	LIST_FOREACH(e, &j.buckets[h], bucket)
		if (is(e, name, port, reason, rule, detail))
			return e;
	return NULL;
}

static void changed(struct journal_entry *e)
{
	if (e == &j.common)
		return;
	e->change = ++j.change;
	e->last = (uint64_t)time(NULL);
	TAILQ_REMOVE(&j.order, e, order);
	TAILQ_INSERT_TAIL(&j.order, e, order);
}

static void forget(struct journal_entry *e)
{
	TAILQ_REMOVE(&j.order, e, order);
	LIST_REMOVE(e, bucket);
	j.n--;
	free(e->name);
	free(e->rule);
	free(e->detail);
	free(e);
}

static void make_room(void)
{
	struct journal_entry *e;

	TAILQ_FOREACH(e, &j.order, order)
		if (e->open == 0) {
			forget(e);
			return;
		}
}

static struct journal_entry *entry_new(const char *name, const char *rule, const char *detail)
{
	struct journal_entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->name = strdup(name);
	e->rule = strdup(rule);
	e->detail = strdup(detail);
	if (e->name && e->rule && e->detail)
		return e;
	free(e->name);
	free(e->rule);
	free(e->detail);
	free(e);
	return NULL;
}

struct journal_entry *journal_add(const char *name, uint16_t port, enum egress_reason reason,
	const char *rule, const char *detail)
{
	size_t h = hash(name, port, reason);
	struct journal_entry *e;

	rule = rule ?: "";
	detail = detail ?: "";
	e = find(h, name, port, reason, rule, detail);
	if (!e) {
		if (j.n >= ENTRIES)
			make_room();
		e = entry_new(name, rule, detail);
		if (!e)
			return &j.common;
		e->port = port;
		e->reason = reason;
		e->first = (uint64_t)time(NULL);
		LIST_INSERT_HEAD(&j.buckets[h], e, bucket);
		TAILQ_INSERT_TAIL(&j.order, e, order);
		j.n++;
	}
	e->count++;
	changed(e);
	return e;
}

void journal_open(struct journal_entry *e)
{
	e->open++;
	changed(e);
}

void journal_close(struct journal_entry *e)
{
	e->open--;
	changed(e);
}

void journal_bytes(struct journal_entry *e, uint64_t sent, uint64_t received)
{
	if (sent == 0 && received == 0)
		return;
	e->sent += sent;
	e->received += received;
	changed(e);
}

static void copy(struct egress_record *to, const struct journal_entry *e)
{
	*to = (struct egress_record){.change = e->change,
		.first = e->first,
		.last = e->last,
		.sent = e->sent,
		.received = e->received,
		.count = e->count,
		.open = e->open,
		.reason = e->reason,
		.port = e->port};
	snprintf(to->name, sizeof(to->name), "%s", e->name);
	snprintf(to->rule, sizeof(to->rule), "%s", e->rule);
	snprintf(to->detail, sizeof(to->detail), "%s", e->detail);
}

bool journal_read(uint64_t *from, struct egress_record *records, size_t max, size_t *ret_n)
{
	struct journal_entry *e;
	size_t n = 0;

	/* From the end back to the first that changed since, then forward. */
	TAILQ_FOREACH_REVERSE(e, &j.order, order, order)
		if (e->change <= *from)
			break;
	e = e ? TAILQ_NEXT(e, order) : TAILQ_FIRST(&j.order);
	for (; e && n < max; e = TAILQ_NEXT(e, order))
		copy(&records[n++], e);
	*from = n > 0 ? records[n - 1].change : j.change;
	*ret_n = n;
	return e != NULL;
}

uint64_t journal_changes(void)
{
	return j.change;
}
