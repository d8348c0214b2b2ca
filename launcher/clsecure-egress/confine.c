#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define DESCRIPTORS 16384

/* What headers of the build may not know yet. */
#define NET_BIND_TCP (1ULL << 0)
#define SCOPES 3ULL /* abstract sockets and signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

/* What getaddrinfo(3) reads. */
static const char *const readable[] = {"/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve",
	"/run/resolvconf", "/run/NetworkManager", "/run/connman"};

static void allow(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr a = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		.parent_fd = open(path, O_PATH | O_CLOEXEC)};

	if (a.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	close(a.parent_fd);
}

/* /etc/resolv.conf is a link on many hosts, and what it leads to is replaced by rename(2). */
static void allow_resolv_conf(int ruleset)
{
	char path[PATH_MAX];

	if (realpath("/etc/resolv.conf", path))
		allow(ruleset, dirname(path));
}

/* No file but those can be opened, no port bound, no signal sent; as far as the kernel says so. */
static int restrict_files(void)
{
	struct ruleset attr = {.fs = (1ULL << 13) - 1};
	_cleanup_close_ int ruleset = -1;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		return 0; /* a kernel without it: the filter and an empty uid have to do */
	if (abi >= 2)
		attr.fs |= 1ULL << 13; /* REFER */
	if (abi >= 3)
		attr.fs |= 1ULL << 14; /* TRUNCATE */
	if (abi >= 4)
		attr.net = NET_BIND_TCP;
	if (abi >= 6)
		attr.scoped = SCOPES;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr,
		abi >= 6	   ? sizeof(attr)
			: abi >= 4 ? 2 * sizeof(uint64_t)
				   : sizeof(uint64_t),
		0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; i < ELEMENTSOF(readable); i++)
		allow(ruleset, readable[i]);
	allow_resolv_conf(ruleset);
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

/* Never upwards, which takes a privilege: sudo has left no core dump to whom it starts. */
static int set_limit(int what, rlim_t value)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) < 0)
		return -errno;
	if (r.rlim_max < value)
		return 0;
	r.rlim_cur = r.rlim_max = value;
	return setrlimit((__rlimit_resource_t)what, &r) < 0 ? -errno : 0;
}

/* As many descriptors as it may have, none of them a file that grows; no other process. */
static int set_limits(void)
{
	struct rlimit files;
	int err;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	if (files.rlim_max > DESCRIPTORS)
		files.rlim_max = DESCRIPTORS;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	egress.max_conns = (files.rlim_cur - 64) / 2;
	err = set_limit(RLIMIT_FSIZE, 0) ?: set_limit(RLIMIT_MEMLOCK, 0);
	/* 1, not 0: a host that pipes core dumps to a program starts it for 0 */
	return err ?: set_limit(RLIMIT_CORE, 1);
}

int confine(struct error *e)
{
	int err;

	if (geteuid() == 0 || getuid() == 0)
		return error_set(e, -EPERM, "this runs as clsecure-egress, never as root");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(e, -errno, "cannot give up privileges");
	err = set_limits();
	if (err < 0)
		return error_errno(e, err, "cannot set limits");
	err = restrict_files();
	if (err < 0)
		return error_errno(e, err, "cannot restrict files by Landlock");
	err = filter_load();
	return err < 0 ? error_errno(e, err, "cannot load the filter of system calls") : 0;
}
