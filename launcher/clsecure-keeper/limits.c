#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

/* Where the host pipes core dumps, a crash inside would run a root process outside; 0 does not stop a pipe, 1 does. */
static bool core_is_piped(void)
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);
	char c = '|';

	if (fd >= 0 && read(fd, &c, 1) == 0)
		return false;
	return c == '|';
}

static int limit(pid_t pid, __rlimit_resource_t r, uint64_t value)
{
	struct rlimit want, have;

	if (prlimit(pid, r, NULL, &have) < 0)
		return -errno;
	want.rlim_max = value == UINT64_MAX ? have.rlim_max : (rlim_t)value;
	/* Only downwards: the host's own limits hold too. */
	if (have.rlim_max != RLIM_INFINITY && want.rlim_max > have.rlim_max)
		want.rlim_max = have.rlim_max;
	want.rlim_cur = want.rlim_max;
	if (value == UINT64_MAX)
		want.rlim_cur = have.rlim_cur;
	return prlimit(pid, r, &want, NULL) < 0 ? -errno : 0;
}

int limits_apply(const struct policy *p, pid_t pid, struct error *e)
{
	uint64_t core = core_is_piped() ? 1 : policy_number(p, SETTING_CORE_SIZE);
	int err = limit(pid, RLIMIT_CORE, core);

	if (err == 0)
		err = limit(pid, RLIMIT_NOFILE, policy_number(p, SETTING_OPEN_FILES));
	if (err == 0)
		err = limit(pid, RLIMIT_FSIZE, policy_number(p, SETTING_FILE_SIZE));
	return err < 0 ? error_errno(e, err, "cannot set the limits of a session") : 0;
}
