/*
 * Any bytes as a file of keys, taken apart into lines as clsecure-keys does it.  What is printed of
 * a line is read again here, in sshd's way: one line, with no option but those that narrow and the
 * one command, and the key that was there.
 */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "launcher/clsecure-keys/keyline.h"

#define COMMAND "clsecure-gateway TICKET"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The length of an option as sshd's sshkey_advance_past_options() counts it. */
static size_t length(const char *s)
{
	bool quoted = false;
	size_t n = 0;

	for (; s[n] && (quoted || (s[n] != ' ' && s[n] != '\t' && s[n] != ',')); n++) {
		if (s[n] == '\\' && s[n + 1] == '"')
			n++;
		else if (s[n] == '"')
			quoted = !quoted;
	}
	must(!quoted);
	return n;
}

static bool begins(const char *s, size_t n, const char *with)
{
	return n >= strlen(with) && strncasecmp(s, with, strlen(with)) == 0;
}

/* Moves past the options; what is none of these would be a door. */
static const char *past_options(const char *s, bool gateway)
{
	unsigned restricts = 0, commands = 0;

	for (;; s++) {
		size_t n = length(s);

		restricts += n == 8 && begins(s, n, "restrict");
		commands += n == strlen("command=\"" COMMAND "\"") &&
			strncmp(s, "command=\"" COMMAND "\"", n) == 0;
		must((n == 8 && begins(s, n, "restrict")) || (n == 6 && begins(s, n, "no-pty")) ||
			(gateway && n == 3 && begins(s, n, "pty")) ||
			(gateway && begins(s, n, "command=\"" COMMAND "\"")) ||
			begins(s, n, "from=\"") || begins(s, n, "expiry-time=\""));
		s += n;
		if (*s != ',')
			break;
	}
	must(!gateway || (restricts == 1 && commands == 1));
	must(*s == ' ');
	return s + 1;
}

static void check_line(const struct keyline *k, bool local, bool gateway)
{
	_cleanup_free_ char *line = NULL, *key = NULL;
	const char *rest;
	int err = keyline_format(k, local, gateway ? COMMAND : NULL, &line);

	must(err == 0 || (local && err == -EOPNOTSUPP));
	if (err < 0)
		return;
	must(asprintf(&key, "%s %s", k->type, k->key) > 0);
	must(!strpbrk(line, "\r\n"));
	rest = streq(line, key) ? line : past_options(line, gateway);
	must(streq(rest, key));
	must(!gateway || rest != line);
	must(!local || strstr(line, "from=\"127.0.0.0/8,::1\""));
}

static void check_key(const char *line)
{
	_cleanup_keyline_ struct keyline k = {0};
	uint8_t again[FINGERPRINT_SIZE];
	char hex[FINGERPRINT_HEX + 1];

	if (keyline_parse(line, &k) < 0) {
		must(!k.key && !k.narrow);
		return;
	}
	must(key_fingerprint(k.type, k.key, again) == 0);
	must(memcmp(again, k.fingerprint, sizeof(again)) == 0);
	fingerprint_hex(k.fingerprint, hex);
	must(fingerprint_parse(hex, again) == 0);
	must(memcmp(again, k.fingerprint, sizeof(again)) == 0);
	for (int i = 0; i < 4; i++)
		check_line(&k, i & 1, i & 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size);
	char *save = NULL;

	must(text);
	for (char *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save))
		check_key(line);
	return 0;
}
