/*
 * What clsecure and clsecured say to each other on a SOCK_STREAM socket.
 *
 *	frame := u32 length of the rest (host order; at most MESSAGE_MAX)  string*
 *	string := key '=' value NUL		key := [a-z-]+, at most 31
 *
 * A key may come more than once: that is a list, in order.  Descriptors ride on the frame's first
 * byte.  A request is one frame; it is answered by any number with type=row (or opened, exit,
 * note), then one with type=end and code=0 or -errno.  Nothing in a message says who sends it:
 * SO_PEERCRED does.
 */
#ifndef CLSECURE_MESSAGE_H
#define CLSECURE_MESSAGE_H

#include <stdint.h>

#include "lib/base/error.h"

#define MESSAGE_MAX (64 * 1024) /* bytes */
#define MESSAGE_FDS 3
#define CLSECURED_SOCKET CLSECURE_RUNDIR "/clsecured.sock"

struct message {
	char *data; /* owned */
	size_t size;
	int fds[MESSAGE_FDS]; /* owned when received, borrowed when sent */
	size_t n_fds;
	bool received;
};
#define _cleanup_message_ _cleanup_(message_done)

void message_done(struct message *m);

/* Appends key=value.  -EINVAL: no such key; -EMSGSIZE; -ENOMEM. */
int message_add(struct message *m, const char *key, const char *value);
int message_addf(struct message *m, const char *key, const char *format, ...) _printf_(3, 4);

/* The last value of a key, or NULL. */
const char *message_get(const struct message *m, const char *key);
bool message_is(const struct message *m, const char *key, const char *value);

/*
 * All values of a key: an owned, NULL-terminated array of pointers into the message; NULL without
 * memory.
 */
char **message_list(const struct message *m, const char *key, size_t *ret_n);

/* One string after the other: NULL at first, then the last answer; NULL at the end. */
const char *message_next(const struct message *m, const char *string);

/* Is this the body of a frame? */
bool message_valid(const char *data, size_t size);

/* Milliseconds of a clock that only goes forward. */
uint64_t message_now(void);

/*
 * Whole frames, until `deadline` (of message_now(); UINT64_MAX: none).  Receiving gives -ENODATA at
 * the end of the stream before a frame, -EPROTO inside one or for what is none, -EMSGSIZE,
 * -ETIMEDOUT.
 */
int message_send(int fd, const struct message *m, uint64_t deadline);
int message_recv(int fd, struct message *ret_message, uint64_t deadline);

#endif
