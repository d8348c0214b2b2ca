/*
 * Any text as a record: what is believed is within our range, and is written back as it was read.
 */
#include "config.h"
#include <stdint.h>

#include "lib/base/macros.h"
#include "lib/base/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char again[RECORD_MAX];
	struct record r;

	if (record_parse((const char *)data, size, &r) < 0)
		return 0;
	if (r.uid <= UID_RESERVED_FIRST || r.uid > CLSECURE_UID_LAST ||
	    identity_of(r.name) == IDENTITY_OTHER)
		abort();
	if (record_format(&r, again) < 0 || strlen(again) != size || memcmp(again, data, size) != 0)
		abort();
	return 0;
}
