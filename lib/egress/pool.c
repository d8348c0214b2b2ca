#include "config.h"
#include "lib/egress/pool.h"
#include "lib/egress/control.h"

#include <errno.h>
#include <sys/mman.h>

#define FIRST EGRESS_POOL_FIRST
#define LAST (EGRESS_POOL_NET | 0x1fffeU) /* not the broadcast address */
#define ADDRESSES (LAST - FIRST + 1)

struct entry {
	uint64_t until; /* a client may remember it till then */
	unsigned connections;
	char name[];
};

/* One slot for each address.  A slot that was used is passed over when a name is looked for. */
struct egress_pool {
	size_t names;
	size_t hand; /* where the search for a name to forget goes on */
	struct entry *slots[ADDRESSES];
};

static struct entry gone;

static bool is_name(const struct entry *e)
{
	return e && e != &gone;
}

struct egress_pool *egress_pool_new(void)
{
	/* a megabyte that is zero, and costs memory only where it is used */
	void *p = mmap(NULL, sizeof(struct egress_pool), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void egress_pool_free(struct egress_pool *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < ADDRESSES; i++)
		if (is_name(p->slots[i]))
			free(p->slots[i]);
	munmap(p, sizeof(*p));
}

/* FNV-1a */
static size_t hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3U;
	return (size_t)((h ^ h >> 32) % ADDRESSES);
}

/* The slots that were used, and end a run of them, are as new. */
static void forget(struct egress_pool *p, size_t i)
{
	free(p->slots[i]);
	p->slots[i] = &gone;
	p->names--;
	if (p->slots[(i + 1) % ADDRESSES])
		return;
	while (p->slots[i] == &gone) {
		p->slots[i] = NULL;
		i = i == 0 ? ADDRESSES - 1 : i - 1;
	}
}

static int make_room(struct egress_pool *p, uint64_t now)
{
	for (size_t n = 0; n < ADDRESSES; n++) {
		size_t i = p->hand;
		struct entry *e = p->slots[i];

		p->hand = (p->hand + 1) % ADDRESSES;
		if (is_name(e) && e->connections == 0 && e->until <= now) {
			forget(p, i);
			return 0;
		}
	}
	return -ENOSPC;
}

static struct entry *entry_new(const char *name)
{
	size_t size = strlen(name) + 1;
	struct entry *e = malloc(sizeof(*e) + size);

	if (!e)
		return NULL;
	e->connections = 0;
	memcpy(e->name, name, size);
	return e;
}

int egress_pool_get(struct egress_pool *p, const char *name, uint64_t now, uint32_t *ret_address)
{
	size_t start = hash(name), free_slot = ADDRESSES, i = start;
	struct entry *e = NULL;

	for (size_t n = 0; n < ADDRESSES && p->slots[i]; n++, i = (i + 1) % ADDRESSES) {
		if (is_name(p->slots[i]) && streq(p->slots[i]->name, name)) {
			e = p->slots[i];
			break;
		}
		if (p->slots[i] == &gone && free_slot == ADDRESSES)
			free_slot = i;
	}
	if (!e) {
		if (p->names >= EGRESS_POOL_NAMES) {
			int err = make_room(p, now);

			return err < 0 ? err : egress_pool_get(p, name, now, ret_address);
		}
		if (free_slot != ADDRESSES)
			i = free_slot;
		e = entry_new(name);
		if (!e)
			return -ENOMEM;
		p->slots[i] = e;
		p->names++;
	}
	e->until = now + EGRESS_POOL_TTL + EGRESS_POOL_GRACE;
	*ret_address = FIRST + (uint32_t)i;
	return 0;
}

bool egress_pool_has(uint32_t address)
{
	return address >= FIRST && address <= LAST;
}

static struct entry *entry_of(const struct egress_pool *p, uint32_t address)
{
	struct entry *e = egress_pool_has(address) ? p->slots[address - FIRST] : NULL;

	return is_name(e) ? e : NULL;
}

const char *egress_pool_name(const struct egress_pool *p, uint32_t address)
{
	struct entry *e = entry_of(p, address);

	return e ? e->name : NULL;
}

void egress_pool_hold(struct egress_pool *p, uint32_t address)
{
	struct entry *e = entry_of(p, address);

	if (e)
		e->connections++;
}

void egress_pool_release(struct egress_pool *p, uint32_t address, uint64_t now)
{
	struct entry *e = entry_of(p, address);

	if (!e || e->connections == 0)
		return;
	e->connections--;
	/* it has been used just now, so the client remembers it still */
	if (e->until < now + EGRESS_POOL_TTL)
		e->until = now + EGRESS_POOL_TTL;
}
