/* Hostile bytes as a DNS query, and the answers to what was taken for one. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/egress/dns.h"
#include "lib/egress/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char target[254], text[700];
	const struct dns_answer answers[] = {
		{.ede = DNS_EDE_NONE, .type = DNS_A, .ttl = 30},
		{.ede = DNS_EDE_NONE, .type = DNS_PTR, .target = target, .ttl = 30},
		{.rcode = DNS_BADVERS, .ede = DNS_EDE_BLOCKED, .ede_text = text},
	};
	uint8_t out[DNS_ANSWER_MAX];
	struct egress_name name;
	struct dns_query q;
	uint32_t address;

	if (size > DNS_QUERY_MAX || dns_parse(data, size, &q) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(target); i++)
		target[i] = i % 2 ? '.' : 'a';
	target[253] = '\0';
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	must(12 + (size_t)q.question_size <= size && strlen(q.name) <= 253);
	if (egress_name_parse(q.name, strlen(q.name), &name, NULL) == 0)
		dns_reverse(name.text, &address);
	for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
		size_t n = dns_build(data, &q, &answers[i], out);

		must(n >= 12 + (size_t)q.question_size && n <= sizeof(out));
		must(memcmp(out + 12, data + 12, q.question_size) == 0);
	}
	return 0;
}
