/* Any bytes as a frame's body: found invalid, or read without harm. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>

#include "launcher/clsecured/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m = {.size = size};

	if (!message_valid((const char *)data, size))
		return 0;
	m.data = malloc(size);
	if (!m.data)
		return 0;
	memcpy(m.data, data, size);
	for (const char *s = NULL; (s = message_next(&m, s));) {
		size_t n = 0;
		_cleanup_free_ char *key = strndup(s, strcspn(s, "="));
		_cleanup_free_ char **list = message_list(&m, key, &n);

		if (!list || n == 0 || list[n] || list[n - 1] != message_get(&m, key))
			abort();
	}
	message_done(&m);
	return 0;
}
