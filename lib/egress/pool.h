/*
 * Which address of the pool stands for which name.
 *
 * A name has the address of its hash, or the next one that is free: the same name gets the same one
 * again after a restart, as a rule, and another name hardly ever gets it.  An address is given away
 * only when no connection uses it and the time that a client may remember it has passed.
 */
#ifndef CLSECURE_EGRESS_POOL_H
#define CLSECURE_EGRESS_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EGRESS_POOL_NAMES 16384 /* at once; a small part of the addresses */
#define EGRESS_POOL_TTL 30 /* s, what a client is told */
#define EGRESS_POOL_GRACE 300 /* s beyond that: some remember longer */

struct egress_pool;

struct egress_pool *egress_pool_new(void); /* NULL: out of memory */
void egress_pool_free(struct egress_pool *p);

/* now: seconds, of a clock that only goes on.  -ENOSPC: every name is still in use; -ENOMEM */
int egress_pool_get(struct egress_pool *p, const char *name, uint64_t now, uint32_t *ret_address);

bool egress_pool_has(uint32_t address); /* is it an address of the pool? */

/* NULL: it stands for no name. */
const char *egress_pool_name(const struct egress_pool *p, uint32_t address);

/* A connection that uses the address, which stands for a name, begins and ends. */
void egress_pool_hold(struct egress_pool *p, uint32_t address);
void egress_pool_release(struct egress_pool *p, uint32_t address, uint64_t now);

#endif
