#include "config.h"
#include "launcher/clsecure/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>

#include "launcher/clsecure/nsswitch.h"
#include "launcher/clsecured/slice.h"

#define PAM_DIR "/etc/pam.d"
#define PAM_VENDOR_DIR "/usr/lib/pam.d"

/* Whole files of ours.  `needs`: made only where that is there. */
static const struct {
	const char *template, *path, *needs;
	enum stage stage;
} files[] = {
	{"pam-clsecure", PAM_DIR "/clsecure", PAM_DIR, STAGE_PAM},
	{"user@.conf", SLICE_DIR "/user@.service.d/" SLICE_DROPIN, SLICE_DIR,
		STAGE_SYSTEMD},
	{"user-runtime-dir@.conf", SLICE_DIR "/user-runtime-dir@.service.d/" SLICE_DROPIN,
		SLICE_DIR, STAGE_SYSTEMD},
	{"sshd.conf", SSHD_DROPIN, SSHD_PROGRAM, STAGE_SSHD},
};

static bool exists(const char *root, const char *path)
{
	char full[PATH_MAX];

	return snprintf(full, sizeof(full), "%s%s", root, path) < (int)sizeof(full) &&
		access(full, F_OK) == 0;
}

const char *host_module(void)
{
	return access(CLSECURE_SECUREDIR "/pam_unix.so", F_OK) == 0
		? "pam_clsecure.so"
		: CLSECURE_SECUREDIR "/pam_clsecure.so";
}

/* A service that is a link is somebody else's file: read, not changed, as below /usr. */
static int read_service(int dir, const char *folder, const char *name, bool vendor,
	struct pam_dir *d, struct error *e)
{
	_cleanup_close_ int fd = -1;
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *text = malloc(LINES_FILE_MAX + 2);
	struct stat st, target;
	size_t n;

	if (!text)
		return error_errno(e, -ENOMEM, "'%s/%s'", folder, name);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &target) < 0)
		return errno == ENOENT
			? 0
			: error_errno(e, -errno, "opening '%s/%s'", folder, name);
	if (!S_ISREG(target.st_mode))
		return 0;
	f = fdopen(fd, "re");
	if (!f)
		return error_errno(e, -errno, "opening '%s/%s'", folder, name);
	TAKE_FD(fd);
	n = fread(text, 1, LINES_FILE_MAX + 1, f);
	if (ferror(f))
		return error_errno(e, -EIO, "reading '%s/%s'", folder, name);
	return pam_dir_add(d, name, text, n, vendor || S_ISLNK(st.st_mode), e);
}

static int read_folder(const char *root, const char *folder, bool vendor, struct pam_dir *d,
	struct error *e)
{
	char full[PATH_MAX];
	struct dirent *entry;
	DIR *dir;
	int err = 0;

	if (snprintf(full, sizeof(full), "%s%s", root, folder) >= (int)sizeof(full))
		return error_errno(e, -ENAMETOOLONG, "'%s'", folder);
	dir = opendir(full);
	if (!dir)
		return errno == ENOENT ? 0 : error_errno(e, -errno, "opening '%s'", folder);
	while (err == 0 && (entry = readdir(dir)))
		if (pam_is_service(entry->d_name) || strncmp(entry->d_name, "common-", 7) == 0)
			err = read_service(dirfd(dir), folder, entry->d_name, vendor, d, e);
	closedir(dir);
	return err;
}

int host_pam(const char *root, struct pam_dir *ret_dir, struct error *e)
{
	_cleanup_(pam_dir_done) struct pam_dir d = {0};
	int err = read_folder(root, PAM_DIR, false, &d, e);

	if (err == 0)
		err = read_folder(root, PAM_VENDOR_DIR, true, &d, e);
	if (err < 0)
		return err;
	*ret_dir = d;
	d = (struct pam_dir){0};
	return 0;
}

static int plan_pam(const struct host *h, bool join, struct plan *p, struct error *e)
{
	_cleanup_(pam_dir_done) struct pam_dir d = {0};
	int err = host_pam(h->root, &d, e);

	if (err == 0)
		err = pam_edit(&d, join ? h->module : NULL, e);
	for (size_t i = 0; i < d.n && err == 0; i++) {
		char path[PATH_MAX], *old = NULL, *new = NULL;

		if (d.file[i].vendor || streq(d.file[i].name, "clsecure"))
			continue;
		snprintf(path, sizeof(path), PAM_DIR "/%s", d.file[i].name);
		err = host_read(h->root, path, &old, e);
		if (err == 0)
			err = lines_text(&d.file[i].lines, &new);
		if (err < 0)
			free(old);
		else
			err = plan_add(p, STAGE_PAM, path, old, new, e);
	}
	return err;
}

static int plan_nsswitch(const struct host *h, bool join, struct plan *p, struct error *e)
{
	_cleanup_(lines_done) struct lines l = {0};
	char *old = NULL, *new = NULL;
	int err = host_read(h->root, NSSWITCH, &old, e);

	if (err < 0)
		return err;
	if (!old)
		return !join ? 0 : error_set(e, -EOPNOTSUPP, NSSWITCH
			" is missing: make it (Debian's base-files has it in "
			"/usr/share/base-files/nsswitch.conf), then run this again");
	err = lines_parse(old, strlen(old), &l);
	if (err == 0)
		err = nsswitch_edit(&l, join, e);
	if (err == 0)
		err = lines_text(&l, &new);
	if (err < 0) {
		free(old);
		return err;
	}
	return plan_add(p, STAGE_NSS, NSSWITCH, old, new, e);
}

static int plan_file(const struct host *h, size_t i, bool join, struct plan *p, struct error *e)
{
	char path[PATH_MAX], *old = NULL, *ours = NULL;
	bool changed;
	int err = host_read(h->root, files[i].path, &old, e);

	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "%s/%s", h->templates, files[i].template);
	err = host_read("", path, &ours, e);
	if (err == 0 && join && !ours)
		err = error_set(e, -ENOENT,
			"'%s' is missing: clsecure is not installed whole ('make install')", path);
	if (err < 0) {
		free(old);
		return err;
	}
	if (join) {
		if (exists(h->root, files[i].needs))
			return plan_add(p, files[i].stage, files[i].path, old, ours, e);
		free(old);
		free(ours);
		return 0;
	}
	changed = old && (!ours || !streq(old, ours));
	free(ours);
	err = plan_add(p, files[i].stage, files[i].path, old, NULL, e);
	if (err == 0 && changed)
		p->change[p->n - 1].keep = true;
	return err;
}

/* One directive; the keyword ends at blanks or '='. */
static bool is_keyword(const char *line, const char *keyword, const char **ret_rest)
{
	const char *s = line + strspn(line, " \t");
	size_t n = strlen(keyword);

	if (strncasecmp(s, keyword, n) != 0 || !strchr(" \t=\"", s[n]))
		return false;
	*ret_rest = s + n + strspn(s + n, " \t=");
	return true;
}

static bool includes_dropin(const char *rest)
{
	char words[1024], *save = NULL;

	snprintf(words, sizeof(words), "%s", rest);
	for (char *w = strtok_r(words, " \t\"", &save); w; w = strtok_r(NULL, " \t\"", &save)) {
		char full[1100];

		snprintf(full, sizeof(full), "%s%s", w[0] == '/' ? "" : "/etc/ssh/", w);
		if (fnmatch(full, SSHD_DROPIN, 0) == 0)
			return true;
	}
	return false;
}

int sshd_config_check(const char *text, struct error *e)
{
	_cleanup_(lines_done) struct lines l = {0};
	const char *rest;
	bool included = false;
	int err = lines_parse(text, strlen(text), &l);

	if (err < 0)
		return error_errno(e, err, SSHD_CONFIG);
	for (size_t i = 0; i < l.n; i++) {
		if (is_keyword(l.line[i], "Match", &rest))
			break;
		if (is_keyword(l.line[i], "Include", &rest) && includes_dropin(rest))
			included = true;
		if (is_keyword(l.line[i], "UsePAM", &rest) && strncasecmp(rest, "no", 2) == 0)
			return error_set(e, -EOPNOTSUPP,
				SSHD_CONFIG " says 'UsePAM no': logins by ssh would have no "
				"sandbox. Make it 'UsePAM yes'");
	}
	if (!included)
		return error_set(e, -EOPNOTSUPP,
			SSHD_CONFIG " does not include /etc/ssh/sshd_config.d/*.conf before its "
			"first Match: put 'Include /etc/ssh/sshd_config.d/*.conf' into its first "
			"line");
	return 0;
}

static int check_sshd(const struct host *h, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	int err = host_read(h->root, SSHD_CONFIG, &text, e);

	if (err < 0 || !exists(h->root, SSHD_PROGRAM))
		return err;
	return sshd_config_check(text ?: "", e);
}

int host_plan(const struct host *h, bool join, struct plan *ret_plan, struct error *e)
{
	_cleanup_(plan_done) struct plan p = {.root = h->root};
	int err = join ? check_sshd(h, e) : 0;

	if (err == 0)
		err = plan_pam(h, join, &p, e);
	for (size_t i = 0; i < ELEMENTSOF(files) && err == 0; i++)
		err = plan_file(h, i, join, &p, e);
	if (err == 0)
		err = plan_slices(h, join, &p, e);
	if (err == 0)
		err = plan_nsswitch(h, join, &p, e);
	if (err < 0)
		return err;
	*ret_plan = p;
	p = (struct plan){0};
	return 0;
}
