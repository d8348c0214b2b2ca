#include "config.h"
#include "lib/egress/dns.h"

#include <errno.h>

#define HEADER 12
#define FLAG_QR 0x8000
#define FLAG_RD 0x0100
#define FLAG_RA 0x0080
#define OPCODE(flags) ((flags) >> 11 & 0xf)
#define CLASS_IN 1
#define OPTION_EDE 15
#define UDP_SIZE 1232

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/*
 * A name without pointers from *at on: the first one of a message has nothing to point to.  text:
 * NULL, or 256 bytes.
 */
static int take_name(const uint8_t *m, size_t size, size_t *at, char *text)
{
	size_t i = *at, n = 0;
	bool plain = true;

	while (i < size && m[i] != 0) {
		size_t label = m[i];

		if (label > 63 || i + label + 1 >= size || i + label + 2 - *at > 255)
			return -EBADMSG;
		if (text && n > 0)
			text[n++] = '.';
		for (size_t k = 1; text && k <= label; k++) {
			plain = plain && m[i + k] != '.' && m[i + k] != 0;
			text[n++] = (char)m[i + k];
		}
		i += label + 1;
	}
	if (i >= size)
		return -EBADMSG;
	if (text)
		text[plain ? n : 0] = '\0';
	*at = i + 1;
	return 0;
}

/* The records behind the question: EDNS once, and what else there is, unread. */
static int take_additional(const uint8_t *m, size_t size, size_t at, unsigned count,
	struct dns_query *q)
{
	for (unsigned i = 0; i < count; i++) {
		size_t name = at;

		if (take_name(m, size, &at, NULL) < 0 || size - at < 10)
			return -EBADMSG;
		if (get16(m + at) == DNS_OPT) {
			if (q->edns || at != name + 1)
				return -EBADMSG;
			q->edns = true;
			if (m[at + 5] != 0)
				q->rcode = DNS_BADVERS;
		}
		if (size - at - 10 < get16(m + at + 8))
			return -EBADMSG;
		at += 10 + (size_t)get16(m + at + 8);
	}
	return at == size ? 0 : -EBADMSG;
}

int dns_parse(const uint8_t *m, size_t size, struct dns_query *ret)
{
	struct dns_query q = {0};
	size_t at = HEADER;

	if (size < HEADER || (get16(m + 2) & FLAG_QR))
		return -EBADMSG;
	q.id = get16(m);
	q.flags = get16(m + 2);
	if (OPCODE(q.flags) != 0) {
		q.rcode = DNS_NOTIMP;
	} else if (get16(m + 4) != 1 || get16(m + 6) != 0 || get16(m + 8) != 0 ||
		take_name(m, size, &at, q.name) < 0 || size - at < 4) {
		q.rcode = DNS_FORMERR;
	} else {
		q.type = get16(m + at);
		q.class = get16(m + at + 2);
		q.question_size = (uint16_t)(at + 4 - HEADER);
		if (take_additional(m, size, at + 4, get16(m + 10), &q) < 0) {
			q.rcode = DNS_FORMERR;
			q.edns = false;
		} else if (q.rcode == 0 && (q.class != CLASS_IN || q.type == DNS_OPT)) {
			q.rcode = DNS_REFUSED;
		} else if (q.rcode == 0 && q.type >= 249 && q.type < DNS_ANY) {
			q.rcode = DNS_NOTIMP; /* transfers and what is no data */
		}
	}
	*ret = q;
	return 0;
}

struct writer {
	uint8_t *buf;
	size_t n;
};

static void put8(struct writer *w, unsigned v)
{
	w->buf[w->n++] = (uint8_t)v;
}

static void put16(struct writer *w, unsigned v)
{
	put8(w, v >> 8);
	put8(w, v & 0xff);
}

static void put_bytes(struct writer *w, const void *p, size_t n)
{
	memcpy(w->buf + w->n, p, n);
	w->n += n;
}

static void put_name(struct writer *w, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		put8(w, (unsigned)n);
		put_bytes(w, name, n);
		name += n + (name[n] == '.');
	}
	put8(w, 0);
}

static void put_record(struct writer *w, const struct dns_answer *a)
{
	size_t length;

	put16(w, 0xc000 | HEADER); /* the question's name */
	put16(w, a->type);
	put16(w, CLASS_IN);
	put16(w, a->ttl >> 16);
	put16(w, a->ttl & 0xffff);
	length = w->n;
	put16(w, 0);
	if (a->type == DNS_PTR)
		put_name(w, a->target);
	else
		put_bytes(w, a->address, a->type == DNS_A ? 4 : 16);
	w->buf[length + 1] = (uint8_t)(w->n - length - 2);
	w->buf[length] = (uint8_t)((w->n - length - 2) >> 8);
}

/* Where UTF-8 can be cut so that at most n bytes are left. */
static size_t cut(const char *text, size_t n)
{
	if (strlen(text) <= n)
		return strlen(text);
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void put_edns(struct writer *w, const struct dns_answer *a)
{
	size_t room = DNS_ANSWER_MAX - w->n - 11 - 6, text;

	put8(w, 0);
	put16(w, DNS_OPT);
	put16(w, UDP_SIZE);
	put8(w, a->rcode >> 4);
	put8(w, 0);
	put16(w, 0);
	if (a->ede == DNS_EDE_NONE || !a->ede_text) {
		put16(w, 0);
		return;
	}
	text = cut(a->ede_text, room);
	put16(w, (unsigned)text + 6);
	put16(w, OPTION_EDE);
	put16(w, (unsigned)text + 2);
	put16(w, (unsigned)a->ede);
	put_bytes(w, a->ede_text, text);
}

/*
 * A question has at most 255 + 4 bytes, and only that of a PTR record, whose question is short, has
 * a long answer: all fits.
 */
size_t dns_build(const uint8_t *m, const struct dns_query *q, const struct dns_answer *a,
	uint8_t ret[static DNS_ANSWER_MAX])
{
	struct writer w = {ret, 0};
	bool record = a->type != 0 && q->question_size > 0;

	if (record && a->type == DNS_PTR && (q->question_size > 64 || strlen(a->target) > 253))
		record = false;
	put16(&w, q->id);
	put16(&w, FLAG_QR | (q->flags & (0x7800 | FLAG_RD)) | FLAG_RA | (a->rcode & 0xf));
	put16(&w, q->question_size > 0);
	put16(&w, record);
	put16(&w, 0);
	put16(&w, q->edns);
	put_bytes(&w, m + HEADER, q->question_size);
	if (record)
		put_record(&w, a);
	if (q->edns)
		put_edns(&w, a);
	return w.n;
}

int dns_reverse(const char *name, uint32_t *ret)
{
	unsigned byte[4];
	int end = 0;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &byte[0], &byte[1], &byte[2], &byte[3],
		    &end) != 4 ||
		end == 0 || name[end] != '\0')
		return -EINVAL;
	if (byte[0] > 255 || byte[1] > 255 || byte[2] > 255 || byte[3] > 255)
		return -EINVAL;
	*ret = byte[3] << 24 | byte[2] << 16 | byte[1] << 8 | byte[0];
	return 0;
}
