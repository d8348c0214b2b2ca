/* The kernel, the installed programs, names, the registry. */
#include "config.h"
#include "launcher/clsecure/doctor.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "launcher/clsecure/host.h"
#include "launcher/clsecure/nsswitch.h"
#include "launcher/clsecure/programs.h"
#include "lib/base/registry.h"
#include "lib/policy/policy.h"
#include "lib/sandbox/idmap.h"

#define SETUP_MENDS "sudo clsecure setup"
#define SUDOERS_FOLDER "/etc/sudoers.d"
#define INSTALL_MENDS "install clsecure anew ('make install', or your package manager)"

static void check_idmap(struct doctor *d)
{
	_cleanup_close_ int userns = -1, tree = -1,
			    fd = open("/home", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct error e = {0};

	if (fd < 0)
		doctor_note(d, NULL, "/home is not there: idmapped mounts were not tried");
	else if (idmap_userns(1000, 1000, CLSECURE_UID_FIRST, &userns, &e) < 0)
		doctor_fail(d, "sysctl user.max_user_namespaces=10000",
			"no user namespace can be made: %s", e.text);
	else if (idmap_tree(fd, userns, &tree, &e) < 0)
		doctor_fail(d, "keep projects on ext4, xfs or btrfs, with a kernel from 5.15 on",
			"the file system of /home takes no idmapped mounts: %s", e.text);
	else
		doctor_ok(d, "idmapped mounts work in /home");
}

void doctor_kernel(struct doctor *d)
{
	static const char *const spaces[] = {"mnt", "pid", "net", "ipc", "uts", "cgroup", "user"};
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
	_cleanup_close_ int opened = -1, pidfd = -1;
	struct utsname name;
	char path[32];

	uname(&name);
	opened = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));
	pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (opened < 0 || pidfd < 0)
		doctor_fail(d, "boot a kernel from 5.15 on", "kernel %s has no %s", name.release,
			opened < 0 ? "openat2" : "pidfd_open");
	else
		doctor_ok(d, "kernel %s has openat2 and pidfds", name.release);
	for (size_t i = 0; i < ELEMENTSOF(spaces); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
		if (access(path, F_OK) < 0)
			doctor_fail(d, "boot a kernel that has it",
				"this kernel has no %s namespaces", spaces[i]);
	}
	if (access("/proc/sys/kernel/seccomp/actions_avail", F_OK) < 0)
		doctor_fail(d, "boot a kernel with CONFIG_SECCOMP_FILTER",
			"this kernel has no seccomp filters");
	check_idmap(d);
}

void doctor_programs(struct doctor *d)
{
	struct error e = {0};

	if (programs_check(&e) < 0)
		doctor_fail(d, INSTALL_MENDS, "%s", e.text);
	else
		doctor_ok(d, "all programs and modules are there and root's alone");
}

static void check_loads(struct doctor *d, const char *path, const char *symbol)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!module)
		doctor_fail(d, INSTALL_MENDS, "'%s' cannot be loaded: %s", path, dlerror());
	else if (!dlsym(module, symbol))
		doctor_fail(d, INSTALL_MENDS, "'%s' has no %s", path, symbol);
	else
		doctor_ok(d, "'%s' loads", path);
	if (module)
		dlclose(module);
}

static int count_worker(const struct record *record, void *arg)
{
	*(size_t *)arg += identity_of(record->name) == IDENTITY_WORKER;
	return 0;
}

/* Does a line of nsswitch name us?  True also when it cannot be read: its own check says why. */
static bool switch_names_us(void)
{
	_cleanup_(lines_done) struct lines l = {0};
	_cleanup_free_ char *text = NULL;

	if (host_read("", NSSWITCH, &text, NULL) < 0 || !text ||
		lines_parse(text, strlen(text), &l) < 0)
		return true;
	for (size_t i = 0; nsswitch_databases[i]; i++)
		if (nsswitch_check(&l, nsswitch_databases[i]) != -ENOENT)
			return true;
	return false;
}

bool doctor_joined(struct doctor *d)
{
	char wait[64] = "";
	size_t n = 0;

	if (registry_armed(REGISTRY_STATE) != 0 || switch_names_us())
		return true;
	if (registry_foreach(REGISTRY_STATE, count_worker, &n) == 0 && n > 0)
		snprintf(wait, sizeof(wait), ": nobody can enter %zu project%s", n,
			n == 1 ? "" : "s");
	doctor_fail(d, SETUP_MENDS, "clsecure is not set up%s", wait);
	return false;
}

static void check_switch(struct doctor *d)
{
	_cleanup_(lines_done) struct lines l = {0};
	_cleanup_free_ char *text = NULL;
	struct error e = {0};

	if (host_read("", NSSWITCH, &text, &e) < 0 || !text ||
		lines_parse(text, strlen(text), &l) < 0) {
		doctor_fail(d, SETUP_MENDS, "%s", e.text[0] ? e.text : NSSWITCH " cannot be read");
		return;
	}
	for (size_t i = 0; nsswitch_databases[i]; i++) {
		int err = nsswitch_check(&l, nsswitch_databases[i]);

		if (err == -ENOENT)
			doctor_fail(d, SETUP_MENDS, NSSWITCH ": 'clsecure' is missing in '%s:'",
				nsswitch_databases[i]);
		else if (err < 0)
			doctor_fail(d,
				"write 'clsecure' before [...=return] in that line of " NSSWITCH,
				NSSWITCH ": in '%s:' a look-up ends before it reaches 'clsecure'",
				nsswitch_databases[i]);
		else
			doctor_ok(d, NSSWITCH ": '%s:' asks clsecure", nsswitch_databases[i]);
	}
}

void doctor_nss(struct doctor *d)
{
	struct passwd *pw;

	check_loads(d, CLSECURE_NSSDIR "/libnss_clsecure.so.2", "_nss_clsecure_getpwnam_r");
	check_switch(d);
	if (registry_armed(REGISTRY_STATE) != 1) {
		doctor_fail(d, SETUP_MENDS, "the registry is not armed: no project has a user");
		return;
	}
	pw = getpwnam(GATEWAY_NAME);
	if (!pw || pw->pw_uid != GATEWAY_UID)
		doctor_fail(d, SETUP_MENDS, "NSS answers '%s' with %s", GATEWAY_NAME,
			pw ? "a user that is not ours" : "nothing");
	else
		doctor_ok(d, "NSS answers with clsecure's users");
	if (access("/run/nscd/socket", F_OK) == 0)
		doctor_note(d, "nscd -i passwd; nscd -i group",
			"nscd is running: it may keep old answers for a while");
}

/* Where it does not, that has been said, and is not to be said again of each project. */
static bool nss_answers(void)
{
	return getpwnam(GATEWAY_NAME) != NULL;
}

/* What is wrong there closes every project, and is told once, by doctor_pam(). */
static bool admin_file_good(void)
{
	return admin_setting(SETTING_ALLOW_SERVICES, NULL, NULL, NULL) == 0;
}

static int check_record(const struct record *record, void *arg)
{
	struct doctor *d = arg;
	const char *slug = worker_slug(record->name);
	struct passwd *pw = getpwnam(record->name);
	struct policy *p = NULL;
	struct error e = {0};
	char mend[128];

	if (pw && pw->pw_uid != record->uid)
		doctor_fail(d,
			"take that other user away, or remove the project and add it by another "
			"--name",
			"'%s' is another user for NSS", record->name);
	else if (!pw && nss_answers())
		doctor_fail(d, SETUP_MENDS, "'%s' is nobody for NSS", record->name);
	if (!slug || !admin_file_good())
		return 0;
	snprintf(mend, sizeof(mend), "sudo clsecure info %s; sudo clsecure remove %s", slug, slug);
	if (policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, &e) < 0)
		doctor_fail(d, mend, "project '%s': %s", slug,
			e.text[0] ? e.text : "it has no project.conf");
	policy_free(p);
	return 0;
}

void doctor_registry(struct doctor *d)
{
	size_t before = d->failed;
	int err;

	if (access(REGISTRY_DIR, F_OK) < 0) {
		doctor_fail(d, SETUP_MENDS, "there is no registry at '" REGISTRY_DIR "'");
		return;
	}
	err = registry_foreach(REGISTRY_STATE, check_record, d);
	if (err < 0)
		doctor_fail(d, SETUP_MENDS, "the registry cannot be read: %s", strerror(-err));
	else if (d->failed == before && nss_answers() && admin_file_good())
		doctor_ok(d, "the registry is sound");
}

static void check_group(struct doctor *d, const struct group *gr)
{
	char mend[160];

	for (char **member = gr->gr_mem; member && *member; member++) {
		if (identity_of(*member) == IDENTITY_OTHER)
			continue;
		snprintf(mend, sizeof(mend), "gpasswd -d %s %s", *member, gr->gr_name);
		doctor_fail(d, mend,
			"'%s' is in the group '%s': outside groups do not reach a sandbox, but no "
			"door may rely on that",
			*member, gr->gr_name);
	}
}

/* Words of ours in a sudoers file, outside comments. */
static void check_sudoers(struct doctor *d, const char *path)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;

	if (host_read("", path, &text, NULL) < 0 || !text)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char user[64];
		const char *s = line + strspn(line, " \t");

		snprintf(user, sizeof(user), "%.*s", (int)strcspn(s, " \t=,"), s);
		if (identity_of(user) != IDENTITY_OTHER ||
			strncmp(user, WORKER_PREFIX, strlen(WORKER_PREFIX)) == 0)
			doctor_fail(d, "visudo",
				"'%s' gives '%s' something: a project's user has nothing to do as "
				"another",
				path, user);
	}
}

static void check_sudoers_folder(struct doctor *d)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(SUDOERS_FOLDER);

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), SUDOERS_FOLDER "/%s", entry->d_name);
		if (entry->d_name[0] != '.')
			check_sudoers(d, path);
	}
	if (dir)
		closedir(dir);
}

void doctor_members(struct doctor *d)
{
	size_t before = d->failed;
	_cleanup_fclose_ FILE *f = fopen("/etc/group", "re");
	struct group *gr;

	while (f && (gr = fgetgrent(f)))
		check_group(d, gr);
	check_sudoers(d, "/etc/sudoers");
	check_sudoers_folder(d);
	if (d->failed == before)
		doctor_ok(d, "no user of a project is in another group or in sudoers");
}
