/* A directory of a test's own, gone with all that is in it at the end. */
#ifndef CLSECURE_SCRATCH_H
#define CLSECURE_SCRATCH_H

#include <ftw.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

static inline int scratch_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void scratch_remove(char *dir)
{
	nftw(dir, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

/* Owned; scratch_remove() ends it. */
static inline char *scratch_make(void)
{
	/* In memory where there is such a place: the registry's writer waits for the disk a lot. */
	const char *tmp = getenv("TMPDIR") ?: access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *dir = NULL;

	assert_true(asprintf(&dir, "%s/clsecure-test-XXXXXX", tmp) > 0);
	assert_non_null(mkdtemp(dir));
	return dir;
}

#endif
