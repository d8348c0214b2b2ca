#include "config.h"
#include "lib/sandbox/filter.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "lib/sandbox/filter-program.h"

#if defined(__x86_64__)
#define WITHOUT_PTRACE filter_x86_64
#define WITH_PTRACE filter_x86_64_ptrace
#elif defined(__aarch64__)
#define WITHOUT_PTRACE filter_aarch64
#define WITH_PTRACE filter_aarch64_ptrace
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int filter_open(const struct filter_options *o, int *ret_fd, struct error *e)
{
	_cleanup_close_ int fd = memfd_create("clsecure-filter", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const void *program = o->allow_ptrace ? WITH_PTRACE : WITHOUT_PTRACE;
	size_t size = o->allow_ptrace ? sizeof(WITH_PTRACE) : sizeof(WITHOUT_PTRACE);
	ssize_t n = fd < 0 ? -1 : write(fd, program, size);

	if (n >= 0 && (size_t)n != size)
		return error_errno(e, -EIO, "cannot keep the filter of system calls");
	if (n < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return error_errno(e, -errno, "cannot keep the filter of system calls");
	*ret_fd = TAKE_FD(fd);
	return 0;
}
