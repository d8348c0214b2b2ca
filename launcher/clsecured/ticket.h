/*
 * The ticket that clsecure-keys puts into the gateway's forced command: this connection has proved
 * that it has the key with this fingerprint.
 *
 *	ticket := "1." expiry "." nonce "." fingerprint "." mac		(decimal, then hex)
 *	mac := HMAC-SHA256 of what stands before its dot, under a key that only root can read
 *
 * It is good once, until it expires, and only from the gateway's uid, which the caller checks.
 */
#ifndef CLSECURE_TICKET_H
#define CLSECURE_TICKET_H

#include "launcher/clsecure-keys/keyline.h"
#include "lib/base/error.h"

#define TICKET_KEY CLSECURE_STATEDIR "/ticket.key" /* 0600 */
/* 0700: an empty file for each used nonce; no slug has a dot */
#define TICKETS_USED CLSECURE_RUNDIR "/.tickets"
#define TICKET_KEY_SIZE 32
#define TICKET_NONCE_SIZE 16
#define TICKET_SECONDS 120 /* sshd's LoginGraceTime */
#define TICKET_MAX 256

struct ticket {
	uint64_t expires; /* seconds since the epoch */
	uint8_t nonce[TICKET_NONCE_SIZE];
	uint8_t fp[FINGERPRINT_SIZE];
};

/* Pure.  ticket_parse: -EBADMSG for a form or a mac that is wrong; the time is not looked at. */
void ticket_format(const uint8_t key[static TICKET_KEY_SIZE], const struct ticket *t,
	char buf[static TICKET_MAX]);
int ticket_parse(const uint8_t key[static TICKET_KEY_SIZE], const char *text,
	struct ticket *ret_ticket);

/* A new ticket; the key is made on first use. */
int ticket_make(const uint8_t fp[static FINGERPRINT_SIZE], char buf[static TICKET_MAX],
	struct error *e);

/*
 * Checks it and uses it up.  -EACCES: wrong, expired or used, with words for the person.  Processes
 * that race for the same ticket: one gets it.
 */
int ticket_use(const char *text, uint8_t ret_fp[static FINGERPRINT_SIZE], struct error *e);

#endif
