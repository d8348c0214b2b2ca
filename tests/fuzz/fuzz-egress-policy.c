/*
 * Hostile text as a name and as a policy.  What is taken for a name is canonical: it is taken
 * again, for itself, in any case, and a policy that allows just it decides so.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/egress/decide.h"
#include "lib/egress/forbidden.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void a_name(const char *text, size_t size)
{
	struct egress_name n, again;
	_cleanup_(egress_policy_done) struct egress_policy p = {0};
	char upper[sizeof(n.text)], rule[sizeof(n.text) + 16];
	struct error e;

	if (egress_name_parse(text, size, &n, &e) < 0) {
		must(e.text[0] != '\0');
		return;
	}
	for (size_t i = 0; i < sizeof(upper); i++)
		upper[i] =
			(char)(n.text[i] >= 'a' && n.text[i] <= 'z' ? n.text[i] - 32 : n.text[i]);
	must(egress_name_parse(upper, strlen(upper), &again, &e) == 0);
	must(streq(n.text, again.text) && n.address.family == again.address.family);
	snprintf(rule, sizeof(rule), n.address.family == AF_INET6 ? "allow [%s]" : "allow %s",
		n.text);
	must(egress_policy_parse(rule, strlen(rule), &p, &e) == 0);
	must(egress_decide(&p, &n, 443).reason == EGRESS_ALLOWED);
	must(egress_decide(&p, &n, 22).reason == EGRESS_PORT);
	if (n.address.family != 0)
		egress_forbidden(&n.address);
}

static void a_policy(const char *text, size_t size)
{
	_cleanup_(egress_policy_done) struct egress_policy p = {0};
	struct egress_name n;
	struct error e;

	if (egress_policy_parse(text, size, &p, &e) < 0)
		return;
	must(egress_name_parse("a.example.com", 13, &n, &e) == 0);
	egress_decide(&p, &n, 0);
	must(egress_decide(&p, &n, 22).rule != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *data = (const char *)bytes + 1;
	struct egress_name n;
	uint16_t port;

	if (size == 0)
		return 0;
	size--;
	if (bytes[0] == 'p') {
		a_policy(data, size);
		return 0;
	}
	a_name(data, size);
	if (egress_name_parse_port(data, size, 0, &n, &port, NULL) == 0)
		must(port != 0);
	return 0;
}
