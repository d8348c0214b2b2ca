#include "config.h"
#include "launcher/clsecure-keys/keyline.h"

#include <errno.h>

#include <nettle/base64.h>
#include <nettle/sha2.h>

static const char local_only[] = "from=\"127.0.0.0/8,::1\"";

static const char *const types[] = {
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
};

void keyline_done(struct keyline *k)
{
	free(k->key);
	free(k->narrow);
	*k = (struct keyline){0};
}

static bool known_type(const char *type, size_t n)
{
	for (size_t i = 0; i < ELEMENTSOF(types); i++)
		if (strlen(types[i]) == n && strncmp(types[i], type, n) == 0)
			return true;
	return false;
}

/* The blob begins with its type as an SSH string, which must be what the line says. */
static bool blob_has_type(const uint8_t *blob, size_t size, const char *type)
{
	size_t n = strlen(type);

	return size > 4 + n && blob[0] == 0 && blob[1] == 0 && blob[2] == 0 && blob[3] == n &&
	       memcmp(blob + 4, type, n) == 0;
}

int key_fingerprint(const char *type, const char *key, uint8_t ret[static FINGERPRINT_SIZE])
{
	struct base64_decode_ctx base64;
	struct sha256_ctx hash;
	uint8_t blob[BASE64_DECODE_LENGTH(KEYLINE_MAX)];
	size_t n = strlen(key), size = sizeof(blob);

	if (!known_type(type, strlen(type)))
		return -EOPNOTSUPP;
	if (n == 0 || n > KEYLINE_MAX)
		return -EBADMSG;
	base64_decode_init(&base64);
	if (!base64_decode_update(&base64, &size, blob, n, key) || !base64_decode_final(&base64) ||
		!blob_has_type(blob, size, type))
		return -EBADMSG;
	sha256_init(&hash);
	sha256_update(&hash, size, blob);
	sha256_digest(&hash, FINGERPRINT_SIZE, ret);
	return 0;
}

void fingerprint_hex(const uint8_t fp[static FINGERPRINT_SIZE],
	char buf[static FINGERPRINT_HEX + 1])
{
	for (size_t i = 0; i < FINGERPRINT_SIZE; i++)
		snprintf(buf + 2 * i, 3, "%02x", fp[i]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int fingerprint_parse(const char *hex, uint8_t ret[static FINGERPRINT_SIZE])
{
	uint8_t fp[FINGERPRINT_SIZE];

	if (strlen(hex) != FINGERPRINT_HEX)
		return -EBADMSG;
	for (size_t i = 0; i < FINGERPRINT_SIZE; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		fp[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret, fp, sizeof(fp));
	return 0;
}

/* Length of an option: up to a comma or blank that is not in quotes; 0 when quotes stay open. */
static size_t option_length(const char *s)
{
	bool quoted = false;
	size_t n = 0;

	for (; s[n] && (quoted || !strchr(", \t", s[n])); n++) {
		if (s[n] == '\\' && s[n + 1] == '"')
			n++;
		else if (s[n] == '"')
			quoted = !quoted;
	}
	return quoted ? 0 : n;
}

/* NAME="VALUE" with a plain value: what sshd reads cannot be more than what was read here. */
static bool is_narrowing(const char *s, size_t n, const char *name)
{
	size_t k = strlen(name);

	if (n < k + 4 || strncasecmp(s, name, k) != 0 || s[k] != '=' || s[k + 1] != '"' ||
		s[n - 1] != '"')
		return false;
	for (size_t i = k + 2; i < n - 1; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789.,:/*?!_-", s[i]))
			return false;
	return true;
}

static bool is_option(const char *s, size_t n, const char *name)
{
	return n == strlen(name) && strncasecmp(s, name, n) == 0;
}

static int take_option(struct keyline *k, const char *s, size_t n)
{
	char *grown;

	if (is_option(s, n, "restrict"))
		k->restrict_ = true;
	else if (is_option(s, n, "no-pty"))
		k->no_pty = true;
	else if (is_narrowing(s, n, "from") || is_narrowing(s, n, "expiry-time")) {
		/*
		 * sshd refuses a line with two of the same: so do we, by not judging and passing
		 * both on.
		 */
		if (asprintf(&grown, "%s%s%.*s", k->narrow, *k->narrow ? "," : "", (int)n, s) < 0)
			return -ENOMEM;
		free(k->narrow);
		k->narrow = grown;
	} else
		return -EOPNOTSUPP;
	return 0;
}

static int take_options(struct keyline *k, const char **s)
{
	for (;;) {
		size_t n = option_length(*s);
		int err = n ? take_option(k, *s, n) : -EBADMSG;

		if (err < 0)
			return err;
		*s += n;
		if (**s != ',')
			break;
		(*s)++;
	}
	if (!**s)
		return -EBADMSG;
	*s += strspn(*s, " \t");
	return 0;
}

static bool clean_line(const char *line)
{
	size_t n = 0;

	for (; line[n]; n++)
		if (n >= KEYLINE_MAX || ((unsigned char)line[n] < ' ' && line[n] != '\t') ||
			line[n] == 0x7f)
			return false;
	return true;
}

int keyline_parse(const char *line, struct keyline *ret_line)
{
	_cleanup_keyline_ struct keyline k = {0};
	const char *s = line + strspn(line, " \t");
	size_t n;
	int err = 0;

	if (!*s || *s == '#')
		return -ENODATA;
	if (!clean_line(s))
		return -EBADMSG;
	k.narrow = strdup("");
	if (!k.narrow)
		return -ENOMEM;
	if (!known_type(s, strcspn(s, " \t")))
		err = take_options(&k, &s);
	if (err < 0)
		return err;
	n = strcspn(s, " \t");
	if (!known_type(s, n))
		return -EOPNOTSUPP;
	snprintf(k.type, sizeof(k.type), "%.*s", (int)n, s);
	s += n + strspn(s + n, " \t");
	k.key = strndup(s, strcspn(s, " \t"));
	if (!k.key)
		return -ENOMEM;
	err = key_fingerprint(k.type, k.key, k.fingerprint);
	if (err < 0)
		return err;
	*ret_line = k;
	k = (struct keyline){0};
	return 0;
}

int keyline_format(const struct keyline *k, bool local, const char *command, char **ret_line)
{
	_cleanup_free_ char *forced = NULL, *options = NULL;
	const char *reach = local ? local_only : k->narrow;
	bool pty = !k->restrict_ && !k->no_pty;

	/* A key of a .pub file has no options; one with some is not a .pub file's. */
	if (local && (*k->narrow || !pty))
		return -EOPNOTSUPP;
	if (command) {
		if (strpbrk(command, "\"\\\n") || asprintf(&forced, "command=\"%s\"", command) < 0)
			return -EINVAL;
		if (asprintf(&options, "restrict%s,%s%s%s", pty ? ",pty" : "", forced,
			    *reach ? "," : "", reach) < 0)
			return -ENOMEM;
	} else {
		const char *narrow = k->restrict_ ? "restrict" : k->no_pty ? "no-pty" : "";

		if (asprintf(&options, "%s%s%s", narrow, *narrow && *reach ? "," : "", reach) < 0)
			return -ENOMEM;
	}
	if (asprintf(ret_line, "%s%s%s %s", options, *options ? " " : "", k->type, k->key) < 0)
		return -ENOMEM;
	return 0;
}
