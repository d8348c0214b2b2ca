/*
 * The child that builds, and becomes PID 1.  Everything of the host is reachable for it until the
 * pivot; after the pivot only what the plan put there.
 */
#include "config.h"
#include "lib/sandbox/build.h"
#include "lib/sandbox/child.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/tree.h"
#include "lib/sandbox/wire.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ROOT_SIZE ((uint64_t)64 * 1024 * 1024)
#define ROOT_INODES 16384

/* The new root has to stand somewhere until the pivot: on the keeper's own directory. */
static int root_make(const char *slug, int *ret_root)
{
	static const struct plan_step step = {
		.mode = 0755, .size = ROOT_SIZE, .inodes = ROOT_INODES};
	struct mount_attr private = {.propagation = MS_PRIVATE};
	_cleanup_close_ int root = -1, at = -1;
	char path[128];
	int err;

	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)) < 0)
		return -errno;
	err = run_path(slug, "", path, sizeof(path));
	if (err == 0)
		err = tree_tmpfs(&step, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &root);
	if (err < 0)
		return err;
	at = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return -errno;
	err = tree_attach(root, at);
	if (err < 0)
		return err;
	*ret_root = TAKE_FD(root);
	return 0;
}

/* pivot_root(".", ".") puts the old root over the new one; taking it away leaves the new one. */
static int root_pivot(int root)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static int build_all(const struct build *b, int fds[static 2], struct error *e)
{
	_cleanup_close_ int root = -1;
	int err = 0;

	umask(0);
	if (b->netns >= 0 && setns(b->netns, CLONE_NEWNET) < 0)
		return error_errno(e, -errno, "cannot join the sandbox's network");
	if (sethostname(b->slug, strlen(b->slug)) < 0)
		return error_errno(e, -errno, "cannot name the sandbox");
	err = build_network(b->worker, e);
	if (err < 0)
		return err;
	err = fault("build-root") ?: root_make(b->slug, &root);
	if (err < 0)
		return error_errno(e, err, "cannot make the sandbox's root");
	err = build_steps(b, root, &fds[1], e);
	if (err == 0)
		err = build_inside(b, root, e);
	if (err < 0)
		return err;
	err = fault("build-pivot") ?: root_pivot(root);
	if (err < 0)
		return error_errno(e, err, "cannot enter the sandbox's root");
	umask(022);
	fds[0] = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fds[0] < 0)
		return error_errno(e, -errno, "cannot open the sandbox's /dev");
	return build_home(b, e);
}

_Noreturn void build_child(const struct build *b, int control)
{
	struct built_report report = {0};
	int fds[2] = {-1, -1}, err;

	/*
	 * An orphan must not go on; control's end tells it too, should its parent be dead already.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	prctl(PR_SET_NAME, "clsecure-init", 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	err = build_all(b, fds, &report.error);
	report.status = err;
	if (wire_send(control, &report, sizeof(report), fds, err == 0 ? ELEMENTSOF(fds) : 0) < 0 ||
		err < 0)
		_exit(1);
	report.sealed = 1;
	init_run(control, b->filter, &report, sizeof(report));
}
