/*
 * Sockets of the host's services below /usr and /opt, which every sandbox shows: read-only keeps
 * nobody from connecting.  Those trees are too large to be searched at each login; the kernel has a
 * list of what is bound.
 */
#include "config.h"
#include "launcher/clsecure-keeper/show.h"
#include "lib/base/macros.h"
#include "lib/policy/words.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#define LIST "/proc/net/unix"

static bool is_shown(const char *path)
{
	return path_within(path, "/usr") || path_within(path, "/opt");
}

/*
 * The name is what somebody gave to bind(2), in whatever mount namespace: it counts where a socket
 * is found.
 */
static int add_socket(const char *name, char ***cover)
{
	char path[PATH_MAX];
	struct stat st;

	if (!is_shown(name) || !realpath(name, path) || !is_shown(path) || lstat(path, &st) < 0 ||
		!S_ISSOCK(st.st_mode))
		return 0;
	return strings_add(cover, strdup(path));
}

int sockets_of_system(char ***cover, struct error *e)
{
	_cleanup_fclose_ FILE *f = fopen(LIST, "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int err = f ? 0 : -errno;

	/* Num RefCount Protocol Flags Type St Inode Path */
	while (err == 0 && getline(&line, &room, f) > 0) {
		char *name = strchr(line, '/');

		line[strcspn(line, "\n")] = '\0';
		if (name && name[-1] == ' ')
			err = add_socket(name, cover);
	}
	if (err == 0 && ferror(f))
		err = -EIO;
	return err < 0 ? error_errno(e, err, "read '%s'", LIST) : 0;
}
