#include "config.h"
#include "lib/egress/hello.h"

#include <errno.h>

#define RECORD_HEAD 5
#define RECORD_MAX 16384
#define HANDSHAKE 22
#define CLIENT_HELLO 1
#define EXT_SERVER_NAME 0
#define EXT_ECH 0xfe0d
#define EXT_ESNI 0xffce

/* What is left to read; nothing is taken from what is bad. */
struct reader {
	const uint8_t *at;
	size_t n;
	bool bad;
};

static unsigned take(struct reader *r, size_t bytes)
{
	unsigned v = 0;

	if (r->bad || r->n < bytes) {
		r->bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | r->at[i];
	r->at += bytes;
	r->n -= bytes;
	return v;
}

/* A vector whose length stands before it in `bytes` bytes. */
static struct reader take_vector(struct reader *r, size_t bytes)
{
	size_t n = take(r, bytes);
	struct reader v = {.bad = true};

	if (r->bad || r->n < n) {
		r->bad = true;
		return v;
	}
	v = (struct reader){.at = r->at, .n = n};
	r->at += n;
	r->n -= n;
	return v;
}

static int server_name(struct reader r, struct hello *h)
{
	struct reader list = take_vector(&r, 2);
	unsigned type = take(&list, 1);
	struct reader name = take_vector(&list, 2);

	if (r.bad || r.n != 0 || list.bad || list.n != 0 || type != 0)
		return -EINVAL;
	if (name.n == 0 || name.n >= sizeof(h->name) || memchr(name.at, 0, name.n))
		return -EINVAL;
	if (h->name[0] != '\0')
		return -EINVAL;
	memcpy(h->name, name.at, name.n);
	h->name[name.n] = '\0';
	return 0;
}

static int extensions(struct reader r, struct hello *h, struct error *e)
{
	while (r.n > 0 && !r.bad) {
		unsigned type = take(&r, 2);
		struct reader data = take_vector(&r, 2);

		if (r.bad)
			break;
		if (type == EXT_SERVER_NAME && server_name(data, h) < 0)
			return error_set(e, -EINVAL, "a bad server name in the ClientHello");
		if (type == EXT_ECH || type == EXT_ESNI)
			h->encrypted = true;
	}
	return r.bad ? error_set(e, -EINVAL, "a broken ClientHello") : 0;
}

static int client_hello(struct reader r, struct hello *ret, struct error *e)
{
	struct hello h = {0};
	int err = 0;

	take(&r, 2); /* version */
	for (unsigned i = 0; i < 32; i++)
		take(&r, 1); /* random */
	take_vector(&r, 1); /* session */
	take_vector(&r, 2); /* ciphers */
	take_vector(&r, 1); /* compression */
	if (!r.bad && r.n > 0) {
		struct reader ext = take_vector(&r, 2);

		if (!r.bad && r.n == 0)
			err = extensions(ext, &h, e);
		else
			r.bad = true;
	}
	if (r.bad)
		return error_set(e, -EINVAL, "a broken ClientHello");
	if (err == 0)
		*ret = h;
	return err;
}

/*
 * Strips the heads of the records that are complete: `hello` gets what is there of the handshake.
 * *ret_need: how many bytes the next step takes.
 */
static int join(const uint8_t *data, size_t n, uint8_t *hello, size_t *ret_n, size_t *ret_need,
	struct error *e)
{
	size_t at = 0, got = 0;

	for (;;) {
		size_t length;

		if (n - at < RECORD_HEAD) {
			*ret_need = at + RECORD_HEAD;
			break;
		}
		length = (size_t)data[at + 3] << 8 | data[at + 4];
		if (data[at] != HANDSHAKE || data[at + 1] != 3 || length == 0 ||
			length > RECORD_MAX)
			return error_set(e, -EINVAL, "TLS begins with another record");
		if (n - at - RECORD_HEAD < length) {
			*ret_need = at + RECORD_HEAD + length;
			break;
		}
		memcpy(hello + got, data + at + RECORD_HEAD, length);
		got += length;
		at += RECORD_HEAD + length;
		if (got >= 4 &&
			got >= 4 + ((size_t)hello[1] << 16 | (size_t)hello[2] << 8 | hello[3]))
			break;
	}
	*ret_n = got;
	return 0;
}

int hello_parse(const uint8_t *data, size_t n, struct hello *ret, size_t *ret_need, struct error *e)
{
	_cleanup_free_ uint8_t *joined = malloc(n + 1);
	size_t got = 0, size;
	int err;

	if (!joined)
		return error_set(e, -EINVAL, "out of memory");
	*ret_need = RECORD_HEAD;
	err = join(data, n, joined, &got, ret_need, e);
	if (err < 0)
		return err;
	if (got > 0 && joined[0] != CLIENT_HELLO)
		return error_set(e, -EINVAL, "TLS begins with another message");
	size = got < 4 ? SIZE_MAX : (size_t)joined[1] << 16 | (size_t)joined[2] << 8 | joined[3];
	if (got >= 4 && size > HELLO_MAX)
		return error_set(e, -EINVAL, "a ClientHello of more than %d bytes", HELLO_MAX);
	if (got < 4 || got - 4 < size) {
		if (n >= HELLO_MAX || *ret_need > HELLO_MAX)
			return error_set(e, -EINVAL, "a ClientHello of more than %d bytes",
				HELLO_MAX);
		return -EAGAIN;
	}
	/* what follows in the same record would be a second message, which comes never here */
	if (got - 4 != size)
		return error_set(e, -EINVAL, "more than a ClientHello in the first records");
	return client_hello((struct reader){.at = joined + 4, .n = size}, ret, e);
}
