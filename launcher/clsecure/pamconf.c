#include "config.h"
#include "launcher/clsecure/pamconf.h"

#include <ctype.h>
#include <errno.h>

#define DEPTH_MAX 16
#define LOGICAL_MAX 1024 /* as libpam's buffer */

static const char *const kinds[] = {"auth", "account", "password", "session"};

void pam_dir_done(struct pam_dir *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->file[i].name);
		lines_done(&d->file[i].lines);
	}
	free(d->file);
	*d = (struct pam_dir){0};
}

const struct pam_file *pam_dir_find(const struct pam_dir *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (streq(d->file[i].name, name))
			return &d->file[i];
	return NULL;
}

int pam_dir_add(struct pam_dir *d, const char *name, const char *text, size_t size, bool vendor,
	struct error *e)
{
	struct pam_file *grown, file = {.vendor = vendor};
	size_t at = 0;
	int err;

	if (pam_dir_find(d, name))
		return 0;
	err = lines_parse(text, size, &file.lines);
	if (err < 0)
		return error_errno(e, err, "reading the PAM service '%s'", name);
	file.name = strdup(name);
	grown = reallocarray(d->file, d->n + 1, sizeof(*grown));
	if (grown)
		d->file = grown;
	if (!grown || !file.name) {
		free(file.name);
		lines_done(&file.lines);
		return error_errno(e, -ENOMEM, "reading the PAM service '%s'", name);
	}
	while (at < d->n && strcmp(grown[at].name, name) < 0)
		at++;
	memmove(grown + at + 1, grown + at, (d->n - at) * sizeof(*grown));
	grown[at] = file;
	d->n++;
	return 0;
}

bool pam_is_service(const char *name)
{
	static const char *const leftovers[] = {"~", ".bak", ".orig", ".old", ".pam-old",
		".pam-new", ".rpmnew", ".rpmsave", ".clsecure-saved"};
	size_t n = strlen(name);

	if (n == 0 || name[0] == '.' || name[0] == '#' || strncmp(name, "common-", 7) == 0 ||
	    strstr(name, ".dpkg-") || strstr(name, ".ucf-"))
		return false;
	for (size_t i = 0; i < ELEMENTSOF(leftovers); i++) {
		size_t k = strlen(leftovers[i]);

		if (n > k && streq(name + n - k, leftovers[i]))
			return false;
	}
	return true;
}

/*
 * The logical line that begins at *at: continued lines joined, the comment cut.  Moves *at past it.
 */
static void logical_line(const struct lines *l, size_t *at, char buf[static LOGICAL_MAX])
{
	size_t n = 0;
	bool more = true;

	while (more && *at < l->n) {
		const char *s = l->line[(*at)++];
		size_t k = strcspn(s, "#");

		more = s[k] == '\0' && k > 0 && s[k - 1] == '\\';
		if (more)
			k--;
		if (k > LOGICAL_MAX - 2 - n)
			k = LOGICAL_MAX - 2 - n;
		memcpy(buf + n, s, k);
		n += k;
		if (more && n < LOGICAL_MAX - 2)
			buf[n++] = ' ';
	}
	buf[n] = '\0';
}

/* The next word, [..] being one; moves *s past it. */
static void take_word(const char **s, char *buf, size_t size)
{
	const char *p = *s + strspn(*s, " \t\r");
	size_t n = *p == '[' ? strcspn(p, "]") : strcspn(p, " \t\r");

	if (*p == '[' && p[n] == ']')
		n++;
	snprintf(buf, size, "%.*s", (int)n, p);
	*s = p + n;
}

struct walk {
	const struct pam_dir *dir;
	enum pam_kind kind;
	pam_visit f;
	void *arg;
	size_t seen;
};

static int walk_file(struct walk *w, const char *name, unsigned depth, struct error *e);

static int walk_line(struct walk *w, const char *file, size_t line, const char *text,
	unsigned depth, struct error *e)
{
	struct pam_module m = {.file = file, .line = line};
	char type[32], *t = type;

	take_word(&text, type, sizeof(type));
	if (streq(type, "@include")) {
		take_word(&text, m.module, sizeof(m.module));
		return walk_file(w, m.module, depth + 1, e);
	}
	if (*t == '-')
		t++;
	if (strcasecmp(t, kinds[w->kind]) != 0)
		return 0;
	take_word(&text, m.control, sizeof(m.control));
	take_word(&text, m.module, sizeof(m.module));
	if (streq(m.control, "include") || streq(m.control, "substack"))
		return walk_file(w, m.module, depth + 1, e);
	text += strspn(text, " \t\r");
	snprintf(m.args, sizeof(m.args), "%s", text);
	for (size_t n = strlen(m.args); n > 0 && isspace((unsigned char)m.args[n - 1]); n--)
		m.args[n - 1] = '\0';
	w->seen++;
	return w->f(&m, w->arg);
}

static int walk_file(struct walk *w, const char *name, unsigned depth, struct error *e)
{
	const char *slash = strrchr(name, '/');
	const struct pam_file *file = pam_dir_find(w->dir, slash ? slash + 1 : name);
	char text[LOGICAL_MAX];

	if (!file)
		return error_set(e, -ENOENT, "PAM: the file '%s' is missing", name);
	if (depth > DEPTH_MAX)
		return error_set(e, -ELOOP, "PAM: '%s' includes itself", name);
	for (size_t at = 0; at < file->lines.n;) {
		size_t line = at;
		int r;

		logical_line(&file->lines, &at, text);
		r = walk_line(w, file->name, line, text, depth, e);
		if (r != 0)
			return r;
	}
	return 0;
}

int pam_stack(const struct pam_dir *d, const char *service, enum pam_kind kind, pam_visit f,
	void *arg, bool *ret_other, struct error *e)
{
	struct walk w = {.dir = d, .kind = kind, .f = f, .arg = arg};
	bool other = !pam_dir_find(d, service);
	int r = 0;

	if (!other)
		r = walk_file(&w, service, 0, e);
	if (r == 0 && w.seen == 0 && !streq(service, "other") && pam_dir_find(d, "other")) {
		other = true;
		r = walk_file(&w, "other", 0, e);
	}
	if (r >= 0 && ret_other)
		*ret_other = other;
	return r;
}
