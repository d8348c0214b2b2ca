#include "config.h"
#include "lib/sandbox/system.h"
#include "lib/policy/words.h"

const char *const system_dirs[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", NULL};

bool system_has(const char *path)
{
	for (size_t i = 0; system_dirs[i]; i++)
		if (path_within(path, system_dirs[i]))
			return true;
	return false;
}
