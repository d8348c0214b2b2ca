/*
 * clsecure-egress: the network of one sandbox, by names (lib/egress/control.h).
 *
 * One thread serves everything by one loop; others only wait for the host's resolver.  What comes
 * from inside and from the internet is hostile: each connection has a bounded buffer, each kind of
 * thing a bounded number.
 */
#ifndef CLSECURE_EGRESS_H
#define CLSECURE_EGRESS_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/queue.h>

#include "lib/egress/decide.h"
#include "lib/egress/dns.h"
#include "lib/egress/pool.h"
#include "lib/egress/proxy.h"
#include "lib/egress/sniff.h"

struct conn;
LIST_HEAD(conns, conn);

struct egress {
	struct event_base *base;
	struct egress_policy policy; /* empty until the first comes: it refuses everything */
	struct egress_pool *pool;
	struct conns conns;
	size_t n_conns, max_conns;
	bool tcp6; /* EGRESS_FD_TCP6 is there */
};

extern struct egress egress;

uint64_t seconds(void); /* of a clock that only goes on */

/* --- confine.c, filter.c ---------------------------------------------------------------------- */

/* Gives up what is not needed; -errno with the reason.  Before any thread is made. */
int confine(struct error *e);
int filter_load(void);

/* --- resolve.c: the host's resolver ----------------------------------------------------------- */

#define LOOKUP_ADDRESSES 16

enum lookup_status { LOOKUP_FOUND, LOOKUP_NO_NAME, LOOKUP_FAILED };

struct found {
	enum lookup_status status;
	size_t n;
	struct egress_address addresses[LOOKUP_ADDRESSES];
};

/* Who waits for an answer.  `done` is called once, perhaps from within lookup() already. */
struct waiter {
	TAILQ_ENTRY(waiter) entry;
	struct lookup *lookup; /* NULL: waits for nothing */
	void (*done)(struct waiter *w, const struct found *f);
};

int resolver_init(void);
void resolver_tick(uint64_t now);
void lookup(struct waiter *w, const char *name);
void lookup_cancel(struct waiter *w);

/* May no name lead there?  Also the host's own addresses, and those that its site translates. */
bool address_forbidden(const struct egress_address *a);

/* --- journal.c: what was reached and refused -------------------------------------------------- */

struct journal_entry;

/* One more of this kind; texts may be NULL.  Never NULL: memory runs out into a common entry. */
struct journal_entry *journal_add(const char *name, uint16_t port, enum egress_reason reason,
	const char *rule, const char *detail);
void journal_open(struct journal_entry *e); /* a connection of it is open, until: */
void journal_close(struct journal_entry *e);
void journal_bytes(struct journal_entry *e, uint64_t sent, uint64_t received);

/* At most `max` records that changed after *from, which is moved on.  true: there are more. */
bool journal_read(uint64_t *from, struct egress_record *records, size_t max, size_t *ret_n);
uint64_t journal_changes(void); /* the number of the last change */

/* --- control.c -------------------------------------------------------------------------------- */

int control_init(void);
void control_tick(void); /* tells the keeper that there is something to read */

/* --- stub.c: the DNS -------------------------------------------------------------------------- */

int stub_init(void);
void stub_tick(uint64_t now);

/* --- doors.c: connections from inside --------------------------------------------------------- */

int doors_init(void);
void door_proxy(struct conn *c); /* what is there of a request to the proxy */

/* --- conn.c, relay.c -------------------------------------------------------------------------- */

enum { INSIDE, OUTSIDE };

enum conn_state {
	CONN_PROXY, /* the request is not complete */
	CONN_WAITING, /* for a person's answer */
	CONN_LOOKUP,
	CONN_CONNECTING,
	CONN_RELAY,
};

/* The bytes from one side to the other. */
struct flow {
	char *held;
	size_t n; /* bytes held back; */
	size_t ok; /* the first ones of them, which the other side does not take yet */
	bool bulk; /* its bytes come in great numbers */
	bool eof; /* the end was read */
	bool closed; /* and passed on */
};

struct conn {
	LIST_ENTRY(conn) entry;
	int fd[2];
	struct event ev[2];
	short events[2]; /* what ev waits for; 0: it is not there */
	struct flow flow[2]; /* from fd[i] */
	struct sniff sniff;
	struct waiter waiter;
	struct journal_entry *record;
	struct egress_name *name; /* of the server */
	uint32_t pool; /* the address that it holds, or 0 */
	uint16_t port;
	uint8_t state;
	bool by_proxy, greeted, host_port;
	uint8_t proxy; /* enum proxy_kind */
	uint64_t since, active; /* seconds: when the state began, when bytes passed */
	uint64_t bytes[2], told[2]; /* from fd[i]; what the journal knows of it */
	struct egress_address *addresses; /* left to be tried */
	size_t n_addresses;
	struct egress_address peer;
	int error; /* errno of the last try */
};

/* Takes the descriptor; NULL: there are too many. */
struct conn *conn_new(int fd);
void conn_go(struct conn *c); /* name and port are known */
void conn_refuse(struct conn *c, enum egress_reason reason, const char *rule, const char *detail);
void conn_free(struct conn *c, bool reset);
void conn_state(struct conn *c, enum conn_state state);
void conns_policy(void); /* there is a new one */
void conns_refuse(const char *name, uint16_t port); /* the answer was no */
void conns_tick(uint64_t now);
void conn_connected(struct conn *c, bool ok);

int relay_init(void);
/* Makes the events be what the state of the connection waits for. */
void relay_events(struct conn *c);
void relay_begin(struct conn *c);
/*
 * Reads what there is behind what is held: *ret_data is valid until the next call.  0 and the bytes
 * that are there, with those that were held; -EAGAIN: no more came; -EPIPE: the end, held bytes
 * stay; -errno
 */
int relay_read(struct conn *c, int side, size_t max, char **ret_data, size_t *ret_n);
int relay_hold(struct conn *c, int side, const char *data, size_t n, size_t ok);
void relay_forget(struct conn *c);

#endif
