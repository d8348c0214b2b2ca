/* Lines of keys, and tickets. */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>

#include "launcher/clsecure-keys/keyline.h"
#include "launcher/clsecured/ticket.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIMBmpzMWpkgvZbUQaz0GCqcQjwJMBUE8zQgTdhI+lnmV"
#define LINE "ssh-ed25519 " KEY

static void good_lines(void **state)
{
	static const struct {
		const char *line, *worker, *gateway;
	} cases[] = {
		{LINE " me@here", LINE, "restrict,pty,command=\"c\" " LINE},
		{"  " LINE, LINE, "restrict,pty,command=\"c\" " LINE},
		{"restrict " LINE, "restrict " LINE, "restrict,command=\"c\" " LINE},
		{"no-pty " LINE, "no-pty " LINE, "restrict,command=\"c\" " LINE},
		{"From=\"10.0.0.0/8,!10.1.1.1\",expiry-time=\"20300101\" " LINE " x y",
			"From=\"10.0.0.0/8,!10.1.1.1\",expiry-time=\"20300101\" " LINE,
			"restrict,pty,command=\"c\",From=\"10.0.0.0/"
			"8,!10.1.1.1\",expiry-time=\"20300101\" " LINE},
		{"restrict,from=\"*.example\"\t" LINE, "restrict,from=\"*.example\" " LINE,
			"restrict,command=\"c\",from=\"*.example\" " LINE},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		_cleanup_keyline_ struct keyline k = {0};
		_cleanup_free_ char *worker = NULL, *gateway = NULL;

		assert_int_equal(keyline_parse(cases[i].line, &k), 0);
		assert_int_equal(keyline_format(&k, false, NULL, &worker), 0);
		assert_string_equal(worker, cases[i].worker);
		assert_int_equal(keyline_format(&k, false, "c", &gateway), 0);
		assert_string_equal(gateway, cases[i].gateway);
	}
}

static void bad_lines(void **state)
{
	static const struct {
		const char *line;
		int err;
	} cases[] = {
		{"", -ENODATA},
		{"# " LINE, -ENODATA},
		{"command=\"/bin/sh\" " LINE, -EOPNOTSUPP},
		{"restrict,pty " LINE, -EOPNOTSUPP},
		{"cert-authority " LINE, -EOPNOTSUPP},
		{"environment=\"A=b\" " LINE, -EOPNOTSUPP},
		{"permitopen=\"h:1\" " LINE, -EOPNOTSUPP},
		{"from=\"a\\\" " LINE "\" " LINE, -EOPNOTSUPP},
		{"from=\"a " LINE, -EBADMSG},
		{"from=\"a b\" " LINE, -EOPNOTSUPP},
		{"from=a " LINE, -EOPNOTSUPP},
		{"from=\"a\",command=\"x\" " LINE, -EOPNOTSUPP},
		{"restrict", -EBADMSG},
		{"restrict, " LINE, -EBADMSG},
		{"ssh-ed25519", -EBADMSG},
		{"ssh-ed25519 AAAA", -EBADMSG},
		{"ssh-ed25519 !!!!", -EBADMSG},
		{"ssh-rsa " KEY, -EBADMSG},
		{"ssh-dss " KEY, -EOPNOTSUPP},
		{"ssh-ed25519-cert-v01@openssh.com " KEY, -EOPNOTSUPP},
		{LINE "\001", -EBADMSG},
		{"restrict\n" LINE, -EBADMSG},
	};

	for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
		struct keyline k = {0};

		assert_int_equal(keyline_parse(cases[i].line, &k), cases[i].err);
		assert_null(k.key);
	}
}

static void local_keys(void **state)
{
	_cleanup_keyline_ struct keyline k = {0}, narrow = {0};
	_cleanup_free_ char *line = NULL, *none = NULL;

	assert_int_equal(keyline_parse(LINE " me", &k), 0);
	assert_int_equal(keyline_format(&k, true, NULL, &line), 0);
	assert_string_equal(line, "from=\"127.0.0.0/8,::1\" " LINE);
	assert_int_equal(keyline_parse("from=\"*\" " LINE, &narrow), 0);
	assert_int_equal(keyline_format(&narrow, true, NULL, &none), -EOPNOTSUPP);
	assert_int_equal(keyline_format(&k, false, "a\"b", &none), -EINVAL);
}

static void fingerprints(void **state)
{
	uint8_t fp[FINGERPRINT_SIZE], again[FINGERPRINT_SIZE];
	char hex[FINGERPRINT_HEX + 1];

	assert_int_equal(key_fingerprint("ssh-ed25519", KEY, fp), 0);
	fingerprint_hex(fp, hex);
	assert_int_equal(fingerprint_parse(hex, again), 0);
	assert_memory_equal(fp, again, sizeof(fp));
	hex[3] = 'G';
	assert_int_equal(fingerprint_parse(hex, again), -EBADMSG);
	hex[3] = '\0';
	assert_int_equal(fingerprint_parse(hex, again), -EBADMSG);
}

static void tickets(void **state)
{
	static const uint8_t key[TICKET_KEY_SIZE] = {1, 2, 3}, other[TICKET_KEY_SIZE] = {1, 2, 4};
	struct ticket t = {.expires = 1900000000, .nonce = {9, 8}, .fp = {7, 6}}, back;
	char text[TICKET_MAX], bad[TICKET_MAX];

	ticket_format(key, &t, text);
	assert_true(strlen(text) < TICKET_MAX - 1);
	assert_int_equal(ticket_parse(key, text, &back), 0);
	assert_int_equal(back.expires, t.expires);
	assert_memory_equal(back.nonce, t.nonce, sizeof(t.nonce));
	assert_memory_equal(back.fp, t.fp, sizeof(t.fp));
	assert_int_equal(ticket_parse(other, text, &back), -EBADMSG);
	for (size_t i = 0; i < strlen(text); i++) { /* every character counts */
		snprintf(bad, sizeof(bad), "%s", text);
		bad[i] = bad[i] == '0' ? '1' : '0';
		assert_int_equal(ticket_parse(key, bad, &back), -EBADMSG);
		bad[i] = '\0';
		assert_int_equal(ticket_parse(key, bad, &back), -EBADMSG);
	}
	assert_int_equal(ticket_parse(key, "", &back), -EBADMSG);
	assert_int_equal(ticket_parse(key, "1.2.3.4.5", &back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(local_keys),
		cmocka_unit_test(fingerprints),
		cmocka_unit_test(tickets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
