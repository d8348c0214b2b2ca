#include "config.h"
#include "lib/sandbox/idmap.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/sandbox/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STACK_SIZE ((size_t)16 * 1024)

/* Shares memory with its maker, touches none of it, and does not outlive it. */
static int sleeper(void *maker)
{
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	while (syscall(SYS_getppid) == (intptr_t)maker)
		syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
	return 0;
}

static int write_map(pid_t pid, const char *name, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text)); /* taken in one write, or not at all */
	return n < 0 ? -errno : 0;
}

static int userns_of(pid_t pid, const char *uids, const char *gids, int *ret_fd)
{
	char path[64];
	int err = write_map(pid, "uid_map", uids), fd;

	if (err == 0)
		err = write_map(pid, "gid_map", gids);
	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static void maps_format(uid_t person, gid_t person_gid, uid_t worker, char uids[static 64],
	char gids[static 128])
{
	if (person == 0)
		snprintf(uids, 64, "%u %u 1\n", worker, worker);
	else
		snprintf(uids, 64, "%u %u 1\n", person, worker);
	if (person_gid == 0)
		snprintf(gids, 128, "%u %u 1\n", worker, worker);
	else
		snprintf(gids, 128, "%u %u 1\n%u %u 1\n", worker, worker, person_gid, PERSON_GID);
}

int idmap_userns(uid_t person, gid_t person_gid, uid_t worker, int *ret_fd, struct error *e)
{
	_cleanup_close_ int userns = -1;
	char uids[64], gids[128], *stack;
	pid_t pid;
	int err = fault("idmap");

	if (err < 0)
		return error_errno(e, err,
			"cannot make a user namespace for the project's mapping");
	maps_format(person, person_gid, worker, uids, gids);
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return error_errno(e, -errno,
			"cannot make a user namespace for the project's mapping");
	pid = clone(sleeper, stack + STACK_SIZE, CLONE_NEWUSER | CLONE_VM,
		(void *)(intptr_t)getpid());
	err = pid < 0 ? -errno : userns_of(pid, uids, gids, &userns);
	/* One that cannot be killed is not waited for: it keeps its stack, and ends when we do. */
	if (pid > 0 && kill(pid, SIGKILL) < 0)
		return error_errno(e, -errno, "cannot end the helper of the project's mapping");
	if (pid > 0)
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	munmap(stack, STACK_SIZE);
	if (err < 0)
		return error_errno(e, err, "cannot make a user namespace for the project's mapping "
			"(user.max_user_namespaces must not be 0)");
	*ret_fd = TAKE_FD(userns);
	return 0;
}

int idmap_tree(int fd, int userns, int *ret_tree, struct error *e)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns};
	_cleanup_close_ int tree =
		open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (tree < 0)
		return error_errno(e, -errno, "cannot clone the mount");
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
		if (errno == EINVAL)
			return error_set(e, -EINVAL,
				"its file system takes no idmapped mounts "
				"(ext4, xfs, btrfs do; tmpfs from Linux 6.3; overlayfs and NFS "
				"never)");
		return error_errno(e, -errno, "cannot map the ids of the mount");
	}
	*ret_tree = TAKE_FD(tree);
	return 0;
}
