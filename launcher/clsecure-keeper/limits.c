#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"

#include <fcntl.h>

/*
 * Where the host pipes core dumps, a crash inside would run a root process outside; 0 does not stop
 * a pipe, 1 does.
 */
static bool core_is_piped(void)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	char c = '|';

	if (fd >= 0 && read(fd, &c, 1) == 0)
		return false;
	return c == '|';
}

void limits_tell(const struct policy *p, struct keeper_reply *r)
{
	r->limits[KEEPER_LIMIT_CORE] = core_is_piped() ? 1 : policy_number(p, SETTING_CORE_SIZE);
	r->limits[KEEPER_LIMIT_FILES] = policy_number(p, SETTING_OPEN_FILES);
	r->limits[KEEPER_LIMIT_FILE_SIZE] = policy_number(p, SETTING_FILE_SIZE);
}
