#include "config.h"
#include "lib/base/names.h"
#include "lib/base/macros.h"

bool slug_valid(const char *slug)
{
	size_t n = 0;

	for (; slug[n]; n++) {
		char c = slug[n];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (n >= SLUG_MAX || !(alnum || (c == '-' && n > 0)))
			return false;
	}
	return n > 0;
}

bool slug_reserved(const char *slug)
{
	static const char *const words[] = {
		"shell", "exec", "add", "set", "remove", "rm", "cleanup", "cleanup-all", "list",
		"ls", "sessions", "kill", "terminate", "info", "doctor", "setup", "unsetup",
		"ssh-config", "net", "allow", "approvals", "forward", "login", "diff", "apply",
		"discard", "snapshots", "undo", "restore", "log", "replay", "report", "attach",
		"help",
	};

	for (size_t i = 0; i < ELEMENTSOF(words); i++)
		if (streq(slug, words[i]))
			return true;
	return false;
}

const char *worker_slug(const char *user)
{
	size_t n = strlen(WORKER_PREFIX);

	if (strncmp(user, WORKER_PREFIX, n) != 0 || !slug_valid(user + n))
		return NULL;
	return user + n;
}

enum identity identity_of(const char *user)
{
	/* Every name of ours begins with these two letters: a stranger's costs nothing. */
	if (user[0] != 'c' || user[1] != 'l')
		return IDENTITY_OTHER;
	if (streq(user, GATEWAY_NAME))
		return IDENTITY_GATEWAY;
	if (streq(user, EGRESS_NAME))
		return IDENTITY_EGRESS;
	if (streq(user, PASTA_NAME))
		return IDENTITY_PASTA;
	return worker_slug(user) ? IDENTITY_WORKER : IDENTITY_OTHER;
}

void worker_name(const char *slug, char buf[static WORKER_NAME_MAX + 1])
{
	size_t nprefix = strlen(WORKER_PREFIX), n = strlen(slug);

	if (n > SLUG_MAX)
		n = SLUG_MAX;
	memcpy(buf, WORKER_PREFIX, nprefix);
	memcpy(buf + nprefix, slug, n);
	buf[nprefix + n] = '\0';
}
