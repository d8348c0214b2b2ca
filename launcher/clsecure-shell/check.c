/*
 * By system calls, not by /proc: these answers come from the kernel wherever this program runs.
 * Each check is one that fails when the PAM module did not run, or ran and did not finish.
 */
#include "config.h"
#include "launcher/clsecure-shell/check.h"
#include "lib/base/names.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int check_ids(struct error *e)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[2];
	int n = getgroups(ELEMENTSOF(groups), groups);

	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
		return error_errno(e, -errno, "cannot read the ids of this process");
	if (ruid != euid || euid != suid || ruid < CLSECURE_UID_FIRST || ruid > CLSECURE_UID_LAST)
		return error_set(e, -EPERM, "uid %u is no worker's", (unsigned)ruid);
	if (rgid != (gid_t)ruid || egid != rgid || sgid != rgid)
		return error_set(e, -EPERM, "the group is not the worker's own");
	if (n < 0 || n > 1 || (n == 1 && groups[0] != rgid))
		return error_set(e, -EPERM, "there are supplementary groups");
	return 0;
}

static int check_capabilities(struct error *e)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &h, d) < 0)
		return error_errno(e, -errno, "cannot read the capabilities");
	for (size_t i = 0; i < ELEMENTSOF(d); i++)
		if (d[i].effective || d[i].permitted || d[i].inheritable)
			return error_set(e, -EPERM, "there are capabilities");
	for (unsigned long c = 0; c < 64; c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
			return error_set(e, -EPERM,
				"the bounding set of capabilities is not empty");
	return 0;
}

int check_privileges(struct error *e)
{
	int err = check_ids(e);

	if (err == 0)
		err = check_capabilities(e);
	if (err < 0)
		return err;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return error_set(e, -EPERM, "no_new_privs is not set");
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER)
		return error_set(e, -EPERM, "there is no filter of system calls");
	return 0;
}

int check_namespaces(const struct inside *in, struct error *e)
{
	static const char *const kinds[] = {"mnt", "pid", "net", "ipc", "uts"};

	for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
		char key[32], path[32], here[64];
		const char *there;
		ssize_t n;

		snprintf(key, sizeof(key), "@namespace=%s:", kinds[i]);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		there = inside_value(in, key);
		n = readlink(path, here, sizeof(here) - 1);
		if (n < 0)
			return error_errno(e, -errno, "cannot read %s", path);
		here[n] = '\0';
		/* "pid:[4026531836]" here, "[4026531836]" there. */
		if (!there || !streq(here + strlen(kinds[i]) + 1, there))
			return error_set(e, -EPERM, "the %s namespace is not the sandbox's",
				kinds[i]);
	}
	return 0;
}
