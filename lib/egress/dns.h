/*
 * The few DNS messages that a stub for one sandbox reads and writes (RFC 1035, 6891, 8914).
 *
 * Written by hand: a query is a header, one question and perhaps EDNS; the libraries of Debian that
 * read it parse every kind of record, and bring a cryptographic library (ldns) or know answers
 * only (c-ares).
 */
#ifndef CLSECURE_EGRESS_DNS_H
#define CLSECURE_EGRESS_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define DNS_QUERY_MAX 4096
#define DNS_ANSWER_MAX 512 /* every answer fits into the smallest size there is */

enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41, DNS_IXFR = 251, DNS_ANY = 255 };
enum {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};

/* Extended errors that are used. */
enum { DNS_EDE_NONE = -1, DNS_EDE_BLOCKED = 15, DNS_EDE_NETWORK = 23 };

struct dns_query {
	uint16_t id, flags, type, class;
	uint16_t question_size; /* bytes after the header that the answer repeats as they are */
	bool edns;
	uint8_t rcode; /* what it has to be answered, if that is clear already */
	/* the labels with dots between, as they were written; empty: no text that could be a name
	 * (the root, a dot or NUL in a label) */
	char name[256];
};

/* 0, or -EBADMSG: no query, and it gets no answer. */
int dns_parse(const uint8_t *m, size_t size, struct dns_query *ret);

struct dns_answer {
	uint16_t rcode;
	int ede; /* DNS_EDE_..., sent where the query has EDNS */
	const char *ede_text; /* UTF-8, cut to what fits */
	uint16_t type; /* 0: no record; DNS_A, DNS_AAAA: address; DNS_PTR: target */
	uint8_t address[16];
	const char *target; /* a canonical name */
	uint32_t ttl;
};

/* m: the query's bytes.  Returns the size. */
size_t dns_build(const uint8_t *m, const struct dns_query *q, const struct dns_answer *a,
	uint8_t ret[static DNS_ANSWER_MAX]);

/* "4.3.2.1.in-addr.arpa" and what it stands for, in host order; -EINVAL */
int dns_reverse(const char *name, uint32_t *ret);

#endif
