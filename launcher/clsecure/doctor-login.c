/* The doors: PAM's stacks, sshd, systemd, clsecured; and the network's program. */
#include "config.h"
#include "launcher/clsecure/doctor.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>

#include "launcher/clsecure/ask.h"
#include "launcher/clsecure/host.h"
#include "launcher/clsecure/run.h"
#include "launcher/clsecure/sshd.h"
#include "launcher/clsecured/slice.h"
#include "lib/base/names.h"
#include "lib/base/registry.h"
#include "lib/policy/policy.h"

#define SETUP_MENDS "sudo clsecure setup"
#define SYSTEMCTL "/usr/bin/systemctl"
#define SYSTEMCTL_WAIT_MS 20000

static const char *const kind_names[] = {"auth", "account", "password", "session"};

/* Is the service a word of this list? */
static bool is_allowed(const char *allowed, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = strstr(allowed, name); at; at = strstr(at + 1, name))
		if ((at == allowed || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return true;
	return false;
}

/* `allowed`: of AllowServices; what comes after us in a door that is shut acts nowhere. */
static void check_stack(struct doctor *d, const struct pam_dir *dir, const struct pam_file *file,
	enum pam_kind kind, const char *allowed)
{
	const char *name = file->name;
	struct pam_cover c;
	struct error e = {0};
	char mend[256];
	int err = pam_cover(dir, name, kind, &c, &e);

	snprintf(mend, sizeof(mend), "%s%s%s%s" SETUP_MENDS,
		file->vendor ? "cp --remove-destination /usr/lib/pam.d/" : "",
		file->vendor ? name : "", file->vendor ? " /etc/pam.d/" : "",
		file->vendor ? "; " : "");
	if (err < 0)
		doctor_fail(d, "mend that file by hand", "service '%s': %s", name, e.text);
	else if (!c.ours && c.modules > 0)
		doctor_fail(d, mend,
			"service '%s' does not ask pam_clsecure in %s: its logins would have no "
			"sandbox",
			name, kind_names[kind]);
	else if (c.ours && c.changed)
		doctor_fail(d, mend,
			"service '%s' asks pam_clsecure in %s by lines that were changed by hand",
			name, kind_names[kind]);
	else if (c.after[0] && is_allowed(allowed, name))
		doctor_fail(d,
			"put that line before pam_clsecure's, or run 'sudo clsecure setup' to make "
			"these the last",
			"service '%s' asks %s after pam_clsecure: it would act inside the sandbox",
			name, c.after);
}

static void check_su(struct doctor *d, const struct pam_dir *dir, const char *name)
{
	struct pam_cover c;

	if (!pam_dir_find(dir, name) || pam_cover(dir, name, PAM_KIND_AUTH, &c, NULL) < 0)
		return;
	if (!c.ours || c.changed)
		doctor_fail(d, SETUP_MENDS,
			"service '%s' does not ask pam_clsecure in auth: who may enter a project "
			"is asked for a password",
			name);
}

/* Who is asked and refuses: for the admin to know, not to mend. */
static void note_services(struct doctor *d, const struct pam_dir *dir, const char *allowed)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	for (size_t i = 0; f && i < dir->n; i++) {
		const char *name = dir->file[i].name;
		struct pam_cover c;

		if (!is_allowed(allowed, name) && pam_is_service(name) &&
			pam_cover(dir, name, PAM_KIND_SESSION, &c, NULL) == 0 && !c.other &&
			c.modules > 0)
			fprintf(f, " %s", name);
	}
	if (f)
		fclose(f);
	if (text && *text)
		doctor_note(d, NULL, "not in AllowServices, so refused to projects:%s", text);
}

static void check_module(struct doctor *d)
{
	static const char path[] = CLSECURE_SECUREDIR "/pam_clsecure.so";
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!module)
		doctor_fail(d, "install clsecure anew", "'%s' cannot be loaded: %s", path,
			dlerror());
	else if (!dlsym(module, "pam_sm_open_session") || !dlsym(module, "pam_sm_acct_mgmt"))
		doctor_fail(d, "install clsecure anew", "'%s' is not the module", path);
	else
		doctor_ok(d, "'%s' loads", path);
	if (module)
		dlclose(module);
}

void doctor_pam(struct doctor *d)
{
	_cleanup_(pam_dir_done) struct pam_dir dir = {0};
	_cleanup_free_ char *allowed = NULL;
	struct error e = {0};
	uint64_t number;
	size_t before;

	check_module(d);
	if (admin_setting(SETTING_ALLOW_SERVICES, &number, &allowed, &e) < 0 || !allowed) {
		doctor_fail(d, "mend that line", "%s", e.text);
		return;
	}
	if (host_pam("", &dir, &e) < 0) {
		doctor_fail(d, NULL, "%s", e.text);
		return;
	}
	before = d->failed;
	for (size_t i = 0; i < dir.n; i++) {
		if (!pam_is_service(dir.file[i].name))
			continue;
		check_stack(d, &dir, &dir.file[i], PAM_KIND_SESSION, allowed);
		check_stack(d, &dir, &dir.file[i], PAM_KIND_ACCOUNT, allowed);
	}
	check_su(d, &dir, "su");
	check_su(d, &dir, "su-l");
	if (!pam_dir_find(&dir, "clsecure"))
		doctor_fail(d, SETUP_MENDS,
			"/etc/pam.d/clsecure is missing: 'clsecure shell' opens nothing");
	if (d->failed == before)
		doctor_ok(d, "every service that opens sessions asks pam_clsecure, in its place");
	note_services(d, &dir, allowed);
}

void doctor_sshd(struct doctor *d)
{
	_cleanup_free_ char *config = NULL, *dropin = NULL;
	struct error e = {0};
	int err;

	if (access(SSHD_PROGRAM, X_OK) < 0) {
		doctor_note(d, "apt install openssh-server; sudo clsecure setup",
			"there is no sshd: no login by ssh");
		return;
	}
	if (host_read("", SSHD_CONFIG, &config, &e) < 0 ||
		sshd_config_check(config ?: "", &e) < 0) {
		doctor_fail(d, SETUP_MENDS, "%s", e.text);
		return;
	}
	if (host_read("", SSHD_DROPIN, &dropin, &e) < 0 || !dropin) {
		doctor_fail(d, SETUP_MENDS,
			SSHD_DROPIN " is missing: sshd asks nobody for the keys of projects");
		return;
	}
	err = sshd_try(NULL, NULL, &e);
	if (err < 0)
		doctor_fail(d,
			"look for an earlier Match or a setting that stands in the way ('sshd -T "
			"-C user=claude'); then 'sudo clsecure setup'",
			"%s", e.text);
	else
		doctor_ok(d, "sshd uses PAM, and takes keys for projects from clsecure-keys alone");
}

static void check_dropin(struct doctor *d, const char *unit)
{
	char name[64];
	char *argv[] = {(char *)SYSTEMCTL, (char *)"cat", (char *)"--no-pager", name, NULL};
	_cleanup_free_ char *said = NULL;

	snprintf(name, sizeof(name), "%s@%u.service", unit, CLSECURE_UID_FIRST);
	if (run_program(argv, SYSTEMCTL_WAIT_MS, &said) != 0)
		doctor_note(d, NULL, "this systemd has no %s", name);
	else if (!strstr(said,
			 "ConditionPathIsSymbolicLink=!" CLSECURE_STATEDIR "/registry/uid/%i"))
		doctor_fail(d, "sudo clsecure setup; sudo systemctl daemon-reload",
			"%s would start: a systemd of a project's user outside its sandbox", name);
	else
		doctor_ok(d, "%s@.service does not start for users of projects", unit);
}

/* userdata: how many files of slice.h are missing */
static int count_missing(const struct record *record, void *userdata)
{
	size_t *missing = userdata;

	for (size_t i = 0; i < ELEMENTSOF(slice_files); i++) {
		char path[SLICE_PATH_MAX];

		slice_path(&slice_files[i], record->uid, path);
		if (identity_of(record->name) == IDENTITY_WORKER && access(path, F_OK) < 0)
			(*missing)++;
	}
	return 0;
}

static void check_units(struct doctor *d)
{
	size_t missing = 0;

	if (registry_foreach(REGISTRY_STATE, count_missing, &missing) == 0 && missing > 0)
		doctor_fail(d, "sudo clsecure setup; sudo systemctl daemon-reload",
			"%zu files for the units of projects' users are missing in " SLICE_DIR
			": logins wait for each other's end, and logind loses sessions",
			missing);
}

void doctor_systemd(struct doctor *d)
{
	if (access("/run/systemd/system", F_OK) < 0) {
		doctor_note(d, NULL, "systemd does not run here");
		return;
	}
	check_dropin(d, "user");
	check_dropin(d, "user-runtime-dir");
	check_units(d);
}

/* Whoever listens: systemd's socket unit, or a clsecured that was started by hand. */
void doctor_clsecured(struct doctor *d)
{
	char *argv[] = {(char *)SYSTEMCTL, (char *)"cat", (char *)"clsecured.socket", NULL};
	_cleanup_close_ int fd = -1;
	struct error e = {0};
	bool unit;

	if (clsecured_connect(&fd, &e) == 0) {
		doctor_ok(d, "clsecured takes connections");
		return;
	}
	unit = access("/run/systemd/system", F_OK) == 0 &&
		run_program(argv, SYSTEMCTL_WAIT_MS, NULL) == 0;
	doctor_fail(d,
		unit ? "sudo systemctl enable --now clsecured.socket"
		     : "start " CLSECURE_LIBEXECDIR "/clsecured as root, at every boot",
		"%s: only root can use clsecure", e.text);
}
