#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/environment.h"
#include "lib/sandbox/tree.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>

static void namespaces_write(FILE *f)
{
	static const char *const kinds[] = {"mnt", "pid", "net", "ipc", "uts"};

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue; /* its reader misses it, and refuses */
		target[n] = '\0';
		fprintf(f, "@namespace=%s%c", target, '\0');
	}
}

int build_inside(const struct build *b, int root, struct error *e)
{
	_cleanup_close_ int dir = -1, fd = -1;
	_cleanup_fclose_ FILE *f = NULL;
	int err = tree_open(root, INSIDE_DIR, &dir);

	if (err == 0) {
		fd = openat(dir, strrchr(INSIDE_FILE, '/') + 1,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
		err = fd < 0 ? -errno : 0;
	}
	if (err == 0) {
		f = fdopen(fd, "w");
		err = f ? 0 : -errno;
	}
	if (err < 0)
		return error_errno(e, err, "cannot write '%s' of the sandbox", INSIDE_FILE);
	TAKE_FD(fd);
	fprintf(f, "@version=1%c", '\0');
	fwrite(b->inside, 1, b->inside_size, f);
	namespaces_write(f);
	if (fflush(f) != 0 || ferror(f))
		return error_errno(e, -EIO, "cannot write '%s' of the sandbox", INSIDE_FILE);
	if (ftell(f) > INSIDE_MAX)
		return error_set(e, -E2BIG,
			"the environment of the sandbox is too large (SetEnv, PassEnv)");
	return 0;
}
