#include "config.h"
#include "launcher/clsecure/pamconf.h"

#include <errno.h>

#include "lib/base/names.h"

#define COMMON_SESSION "common-session"
#define COMMON_NONINTERACTIVE "common-session-noninteractive"
#define COMMON_ACCOUNT "common-account"

#define BELOW "[success=2 default=ignore]"
#define ABOVE "[success=1 default=ignore]"

/*
 * A stranger's login jumps over our module, which is then not even loaded; only who is ours, or is
 * known to nobody, meets it.  The first line jumps over two, the second over one.
 */
static void guard_args(bool above, char buf[static 64])
{
	if (above)
		snprintf(buf, 64, "quiet uid > %u", CLSECURE_UID_LAST);
	else
		snprintf(buf, 64, "quiet uid < %u", UID_RESERVED_FIRST);
}

static int insert_lines(struct lines *l, size_t at, const char *kind, const char *control,
	const char *module, struct error *e)
{
	char line[512], args[64];
	int err = 0;

	for (int i = 0; i < 3 && err == 0; i++) {
		if (i == 2)
			snprintf(line, sizeof(line), "%s\t%s\t%s\t%s", kind, control, module,
				LINES_MARK);
		else {
			guard_args(i == 1, args);
			snprintf(line, sizeof(line), "%s\t%s\tpam_succeed_if.so %s\t%s", kind,
				i == 1 ? ABOVE : BELOW, args, LINES_MARK);
		}
		err = lines_insert(l, at + (size_t)i, line);
	}
	return err < 0 ? error_errno(e, err, "the PAM lines for %s", kind) : 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

struct cover {
	struct pam_cover *c;
	enum pam_kind kind;
	unsigned guards; /* bit 0: the line below, bit 1: the line above stood right before */
};

/* Modules that do something for the session and must have done it before the caller is inside. */
static bool acts_inside(const char *module)
{
	static const char *const modules[] = {"pam_systemd.so", "pam_exec.so", "pam_mount.so",
		"pam_namespace.so", "pam_keyinit.so", "pam_mkhomedir.so", "pam_loginuid.so",
		"pam_script.so", "pam_elogind.so"};

	for (size_t i = 0; i < ELEMENTSOF(modules); i++)
		if (streq(module, modules[i]))
			return true;
	return false;
}

static bool control_fits(enum pam_kind kind, const char *control)
{
	return streq(control, kind == PAM_KIND_AUTH ? "sufficient" : "required");
}

static int look(const struct pam_module *m, void *arg)
{
	struct cover *s = arg;
	const char *module = base_name(m->module);
	char args[64];

	s->c->modules++;
	if (streq(module, "pam_clsecure.so")) {
		/* Without the guards it is a service of our own, which only our users have. */
		bool alone = streq(m->file, "clsecure");

		s->c->ours = true;
		s->c->changed = !control_fits(s->kind, m->control) || (s->guards != 3 && !alone);
		s->c->after[0] = '\0';
		return 0;
	}
	if (streq(module, "pam_succeed_if.so")) {
		guard_args(s->guards == 1, args);
		if (streq(m->args, args) && streq(m->control, s->guards == 1 ? ABOVE : BELOW)) {
			s->guards = s->guards == 1 ? 3 : 1;
			return 0;
		}
	}
	s->guards = 0;
	if (s->c->ours && s->kind == PAM_KIND_SESSION && acts_inside(module) && !s->c->after[0])
		snprintf(s->c->after, sizeof(s->c->after), "%s", module);
	return 0;
}

int pam_cover(const struct pam_dir *d, const char *service, enum pam_kind kind,
	struct pam_cover *ret_cover, struct error *e)
{
	struct pam_cover c = {0};
	struct cover s = {.c = &c, .kind = kind};
	int r = pam_stack(d, service, kind, look, &s, &c.other, e);

	if (r < 0)
		return r;
	*ret_cover = c;
	return 0;
}

static struct pam_file *find(struct pam_dir *d, const char *name)
{
	return (struct pam_file *)pam_dir_find(d, name);
}

static int append(struct pam_file *file, const char *kind, const char *module, struct error *e)
{
	struct lines *l = &file->lines;
	const char *last = l->n ? l->line[l->n - 1] : "";

	if (*last && last[strlen(last) - 1] == '\\')
		return error_set(e, -EOPNOTSUPP,
			"/etc/pam.d/%s ends with a backslash: take it away, then run this again",
			file->name);
	return insert_lines(l, l->n, kind, "required", module, e);
}

/* The lines at the end of a service whose stack of this kind would not ask us. */
static int cover_service(struct pam_dir *d, struct pam_file *file, enum pam_kind kind,
	const char *module, struct error *e)
{
	struct pam_cover c;
	int err = pam_cover(d, file->name, kind, &c, e);

	if (err < 0)
		return err;
	if (c.ours || c.other || c.modules == 0 || file->vendor)
		return 0;
	return append(file, kind == PAM_KIND_SESSION ? "session" : "account", module, e);
}

/*
 * su asks for a password where its caller is not root.  Ours stands before whatever asks, after
 * pam_rootok: the first auth line or include that is not pam_rootok.
 */
static int cover_su(struct pam_dir *d, const char *service, const char *module, struct error *e)
{
	struct pam_file *file = find(d, service);
	struct pam_cover c;
	size_t at;
	int err;

	if (!file || file->vendor)
		return 0;
	err = pam_cover(d, service, PAM_KIND_AUTH, &c, e);
	if (err < 0 || c.ours)
		return err;
	for (at = 0; at < file->lines.n; at++) {
		const char *s = file->lines.line[at] + strspn(file->lines.line[at], " \t-");

		if (strstr(s, "pam_rootok.so") || *s == '#')
			continue;
		if (strncmp(s, "auth", 4) == 0 || strncmp(s, "@include", 8) == 0)
			break;
	}
	return insert_lines(&file->lines, at, "auth", "sufficient", module, e);
}

static int check_layout(struct pam_dir *d, struct error *e)
{
	static const char *const needed[] = {COMMON_SESSION, COMMON_NONINTERACTIVE, COMMON_ACCOUNT};

	for (size_t i = 0; i < ELEMENTSOF(needed); i++) {
		const struct pam_file *f = pam_dir_find(d, needed[i]);

		if (!f || f->vendor)
			return error_set(e, -EOPNOTSUPP,
				"/etc/pam.d/%s is missing: setup knows Debian's layout of PAM only "
				"('apt "
				"install libpam-runtime' makes these files there)",
				needed[i]);
	}
	return 0;
}

static int insert_all(struct pam_dir *d, const char *module, struct error *e)
{
	int err = append(find(d, COMMON_SESSION), "session", module, e);

	if (err == 0)
		err = append(find(d, COMMON_NONINTERACTIVE), "session", module, e);
	if (err == 0)
		err = append(find(d, COMMON_ACCOUNT), "account", module, e);
	if (err == 0)
		err = cover_su(d, "su", module, e);
	if (err == 0)
		err = cover_su(d, "su-l", module, e);
	/*
	 * In the order of names: runuser has its lines before runuser-l, which includes it, is
	 * asked.
	 */
	for (size_t i = 0; i < d->n && err == 0; i++) {
		if (!pam_is_service(d->file[i].name) || streq(d->file[i].name, "clsecure"))
			continue;
		err = cover_service(d, &d->file[i], PAM_KIND_ACCOUNT, module, e);
		if (err == 0)
			err = cover_service(d, &d->file[i], PAM_KIND_SESSION, module, e);
	}
	return err;
}

int pam_edit(struct pam_dir *d, const char *module, struct error *e)
{
	int err;

	for (size_t i = 0; i < d->n; i++)
		if (!d->file[i].vendor && !streq(d->file[i].name, "clsecure"))
			lines_strip(&d->file[i].lines);
	if (!module)
		return 0;
	err = check_layout(d, e);
	return err < 0 ? err : insert_all(d, module, e);
}
