/*
 * One line of authorized_keys(5) or of a .pub file.  Pure.
 *
 * A key whose options could do more than narrow what it may is not used: only restrict, no-pty,
 * from and expiry-time are known here, and these are kept.
 */
#ifndef CLSECURE_KEYLINE_H
#define CLSECURE_KEYLINE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/macros.h"

#define KEYLINE_MAX 8192 /* bytes; the longest key of use, RSA with 16384 bits, has 2,800 */
#define FINGERPRINT_SIZE 32 /* SHA-256 */
#define FINGERPRINT_HEX (2 * FINGERPRINT_SIZE)
#define KEY_TYPE_MAX 64

struct keyline {
	char type[KEY_TYPE_MAX];
	char *key; /* owned: base64 */
	char *narrow; /* owned: from="..." and expiry-time="..." with a comma between, or "" */
	bool restrict_, no_pty;
	uint8_t fingerprint[FINGERPRINT_SIZE];
};
#define _cleanup_keyline_ _cleanup_(keyline_done)
void keyline_done(struct keyline *k);

/* -ENODATA: empty or a comment; -EOPNOTSUPP: an option or a type that is not used; -EBADMSG. */
int keyline_parse(const char *line, struct keyline *ret_line);

/* Of a type and a base64 text, as sshd names them. */
int key_fingerprint(const char *type, const char *key, uint8_t ret[static FINGERPRINT_SIZE]);

void fingerprint_hex(const uint8_t fp[static FINGERPRINT_SIZE],
	char buf[static FINGERPRINT_HEX + 1]);
int fingerprint_parse(const char *hex, uint8_t ret[static FINGERPRINT_SIZE]);

/*
 * The line for sshd.  local: the key is good from this host only.  command: NULL, or the forced
 * command of the gateway, which then is all that the key may do.
 */
int keyline_format(const struct keyline *k, bool local, const char *command, char **ret_line);

#endif
