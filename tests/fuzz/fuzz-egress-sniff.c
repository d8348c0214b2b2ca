/*
 * Hostile bytes as what a client says first.  However they are cut, the same bytes go on, and when
 * something is refused nothing after it does.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/egress/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Returns what went on; *ret_refused: and then no more. */
static size_t feed(const char *data, size_t n, size_t step, bool web, bool *ret_refused)
{
	enum egress_reason reason;
	struct sniff s;
	struct error e;
	size_t passed = 0;

	*ret_refused = false;
	sniff_begin(&s, "a.test", web);
	for (size_t there = 0; there < n;) {
		size_t more = 0;

		there = n - there < step ? n : there + step;
		if (sniff_client(&s, data + passed, there - passed, &more, &reason, &e) < 0) {
			must(egress_is_refusal(reason));
			*ret_refused = true;
			return passed;
		}
		must(more <= there - passed);
		passed += more;
	}
	return passed;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *data = (const char *)bytes + 2;
	bool refused, refused_cut;
	size_t passed, passed_cut;

	if (size < 2)
		return 0;
	passed = feed(data, size - 2, size, bytes[0] & 1, &refused);
	passed_cut = feed(data, size - 2, 1 + (size_t)bytes[1], bytes[0] & 1, &refused_cut);
	must(refused == refused_cut);
	/* at once it stops before all that was read with what was bad */
	must(passed_cut == passed || refused);
	return 0;
}
