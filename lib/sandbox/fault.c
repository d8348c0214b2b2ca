/*
 * Injected failures, for tests (configure --enable-fault-injection).
 *
 * CLSECURE_STATEDIR/fault holds lines "STEP", "STEP ERRNO" or "STEP kill": the named step then
 * fails with EIO, with that number, or kills its own process.  Once a caller is inside, the file is
 * out of its sight, so what was read last is kept.
 */
#include "config.h"
#include "lib/sandbox/client.h"

#ifdef FAULT_INJECTION

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

static char faults[1024];

static void faults_read(void)
{
	_cleanup_close_ int fd =
		open(CLSECURE_STATEDIR "/fault", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0) {
		if (access(CLSECURE_STATEDIR, F_OK) == 0)
			faults[0] = '\0';
		return;
	}
	n = read(fd, faults, sizeof(faults) - 1);
	faults[n > 0 ? n : 0] = '\0';
}

static int fault_act(const char *how)
{
	int err = atoi(how);

	if (strncmp(how, "kill", 4) == 0)
		kill(getpid(), SIGKILL);
	return err > 0 ? -err : -EIO;
}

int fault(const char *step)
{
	size_t n = strlen(step);

	faults_read();
	for (const char *line = faults; line && *line;) {
		if (strncmp(line, step, n) == 0 && (line[n] == '\n' || line[n] == '\0'))
			return -EIO;
		if (strncmp(line, step, n) == 0 && line[n] == ' ')
			return fault_act(line + n + 1);
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return 0;
}

#else

int fault(const char *step)
{
	return 0;
}

#endif
