#include "config.h"
#include "lib/policy/legacy.h"

#include <errno.h>

static const struct {
	const char *key, *now;
} keys[] = {
	{"mode", "[Project] Mode= (the administrator's)"},
	{"network", "[Network] Network="},
	{"docker", "nothing"},
	{"skip_docker_autodetect", "nothing"},
	{"setup_script", "a command inside"},
	{"install_dependencies", "a command inside"},
	{"cleanup_hook_timeout", "nothing"},
};

/* The index of the key that the line begins with, or -1. */
static int key_of(const char *line, size_t n)
{
	for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
		size_t length = strlen(keys[i].key), at = length;

		if (n <= length || memcmp(line, keys[i].key, length) != 0)
			continue;
		while (at < n && (line[at] == ' ' || line[at] == '\t'))
			at++;
		if (at < n && line[at] == '=')
			return (int)i;
	}
	return -1;
}

int legacy_check(const char *data, size_t size, const char *file, struct error *e)
{
	const char *end = data + size;
	unsigned seen = 0;
	char words[200] = "";

	while (data < end && *data != '[') {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t n = (size_t)((newline ?: end) - data), used = strlen(words);
		int key = key_of(data, n);

		if (key >= 0 && !(seen & 1u << key)) {
			snprintf(words + used, sizeof(words) - used, "%s%s: %s", seen ? "; " : "",
				keys[key].key, keys[key].now);
			seen |= 1u << key;
		}
		data += n + (newline ? 1 : 0);
	}
	if (!seen)
		return 0;
	return error_set(e, -EINVAL, "%s: this is the earlier clsecure's; now %s", file, words);
}
