#include "config.h"
#include "lib/sandbox/toolchains.h"
#include "lib/sandbox/identity.h"
#include "lib/sandbox/look.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#define LOOK_MS 3000

/*
 * Folder and directory for PATH, in the home unless absolute; one '*' stands for the newest
 * version.
 */
static const struct toolchain {
	const char *folder, *path;
} table[] = {
	{".nvm", ".nvm/versions/node/*/bin"},
	{".fnm", ".fnm/node-versions/*/installation/bin"},
	{".local/share/fnm", ".local/share/fnm/node-versions/*/installation/bin"},
	{".volta", ".volta/bin"},
	{".asdf", ".asdf/shims"},
	{".local/share/mise", ".local/share/mise/shims"},
	{".bun", ".bun/bin"},
	{".pyenv", ".pyenv/shims"},
	{".rustup", NULL},
	{".cargo/bin", ".cargo/bin"},
	{".sdkman", NULL},
	{"/home/linuxbrew/.linuxbrew", "/home/linuxbrew/.linuxbrew/bin"},
};

/* Where a person's own Claude Code may be, beside the toolchains' directories. */
static const char *const claudes[] = {
	".local/bin", ".claude/local", ".npm-global/bin", ".npm/bin", ".npm-packages/bin"};

static const char *const system_dirs[] = {"/usr/local/bin", "/usr/bin", "/bin"};

struct looking {
	const struct person *owner;
	const char *project;
	bool all, identity;
	struct person_out *out;
	bool claude; /* found */
};

static int tell(struct looking *l, enum look_kind kind, const char *text)
{
	return look_answer(l->out, kind, 0, text);
}

static bool inside_of(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	return strncmp(inner, outer, n) == 0 && (inner[n] == '\0' || inner[n] == '/');
}

static bool at_home(const struct looking *l, const char *name, char buf[static PATH_MAX])
{
	int n = name[0] == '/' ? snprintf(buf, PATH_MAX, "%s", name)
			       : snprintf(buf, PATH_MAX, "%s/%s", l->owner->home, name);

	return n > 0 && n < PATH_MAX;
}

/* The newest of the names that stand for '*' in path, put in its place. */
static bool newest(char path[static PATH_MAX])
{
	char *star = strchr(path, '*'), best[NAME_MAX + 1] = "", rest[PATH_MAX];
	DIR *dir;

	if (!star)
		return true;
	snprintf(rest, sizeof(rest), "%s", star + 1);
	*star = '\0';
	dir = opendir(path);
	if (!dir)
		return false;
	for (struct dirent *d; (d = readdir(dir));)
		if (d->d_name[0] != '.' && strverscmp(d->d_name, best) > 0)
			snprintf(best, sizeof(best), "%s", d->d_name);
	closedir(dir);
	if (!*best || strlen(path) + strlen(best) + strlen(rest) >= PATH_MAX)
		return false;
	strcat(path, best);
	strcat(path, rest);
	return true;
}

/* A directory by its real path: a link might show what nobody meant to be shown. */
static bool real_directory(const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	return realpath(path, real) && streq(real, path) && stat(path, &st) == 0 &&
		S_ISDIR(st.st_mode);
}

/* Claude's program as it is shown: a package's folder, or the one file. */
static int show_claude(struct looking *l, const char *real, bool shown)
{
	static const char package[] = "/claude-code/";
	const char *end = strstr(real, package);
	char bind[PATH_MAX];
	int err = 0;

	snprintf(bind, sizeof(bind), "%.*s",
		end ? (int)(end - real + (int)sizeof(package) - 2) : PATH_MAX - 1, real);
	if (!shown && !inside_of(bind, l->project) && !inside_of(l->project, bind))
		err = tell(l, LOOK_TOOLCHAIN, bind);
	if (err == 0)
		err = tell(l, LOOK_CLAUDE, real);
	l->claude = true;
	return err;
}

static int look_for_claude(struct looking *l, const char *directory, bool shown)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stat st;

	if (l->claude ||
		(size_t)snprintf(path, sizeof(path), "%s/claude", directory) >= sizeof(path))
		return 0;
	if (!realpath(path, real) || stat(real, &st) < 0 || !S_ISREG(st.st_mode) ||
		access(real, X_OK) < 0)
		return 0;
	/* A link into the system is the system's. */
	if (inside_of(real, "/usr") || inside_of(real, "/opt")) {
		l->claude = true;
		return tell(l, LOOK_CLAUDE_SYSTEM, "");
	}
	return show_claude(l, real, shown);
}

static int look_at_toolchain(struct looking *l, const struct toolchain *t)
{
	char folder[PATH_MAX], path[PATH_MAX];
	bool shown;
	int err = 0;

	if (!at_home(l, t->folder, folder) || !real_directory(folder))
		return 0;
	shown = l->all && !inside_of(folder, l->project) && !inside_of(l->project, folder);
	if (shown)
		err = tell(l, LOOK_TOOLCHAIN, folder);
	if (err < 0 || !t->path || !at_home(l, t->path, path) || !newest(path) ||
		!real_directory(path))
		return err;
	if (shown)
		err = tell(l, LOOK_PATH, path);
	return err < 0 ? err : look_for_claude(l, path, shown);
}

/* As the owner. */
static int look(void *arg, struct person_out *out, struct error *e)
{
	struct looking *l = arg;
	char path[PATH_MAX];
	int err = 0;

	l->out = out;
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(system_dirs); i++)
		err = look_for_claude(l, system_dirs[i], true);
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(claudes); i++)
		if (at_home(l, claudes[i], path))
			err = look_for_claude(l, path, false);
	for (size_t i = 0; err == 0 && i < ELEMENTSOF(table); i++)
		err = look_at_toolchain(l, &table[i]);
	return err == 0 && l->identity ? git_identity_look(l->owner, out) : err;
}

static int add(char ***list, size_t *n, const char *text)
{
	char **more = reallocarray(*list, *n + 2, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[*n + 1] = NULL;
	more[*n] = strdup(text);
	return more[(*n)++] ? 0 : -ENOMEM;
}

static int add_path(char **path, const char *text)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *path ?: "", *path && **path ? ":" : "", text) < 0)
		return -ENOMEM;
	free(*path);
	*path = longer;
	return 0;
}

static int take_one(struct toolchains *t, size_t *n, enum look_kind kind, const char *path)
{
	if (kind == LOOK_IDENTITY)
		return 0; /* git_identity_text() */
	if (kind == LOOK_CLAUDE_SYSTEM) {
		t->claude_system = true;
		return 0;
	}
	if (path[0] != '/')
		return -EPROTO;
	if (kind == LOOK_TOOLCHAIN)
		return add(&t->binds, n, path);
	if (kind == LOOK_PATH)
		return add_path(&t->path, path);
	if (kind == LOOK_CLAUDE && !t->claude)
		return (t->claude = strdup(path)) ? 0 : -ENOMEM;
	return 0;
}

static int take(struct toolchains *t, const struct person_reply *r)
{
	const char *at = r->data, *path;
	enum look_kind kind;
	unsigned tree;
	size_t n = 0;
	int err = git_identity_text(r->data, r->size, &t->gitconfig);

	while (err == 0 && (err = look_next(&at, r->data + r->size, &kind, &tree, &path)) > 0)
		err = take_one(t, &n, kind, path);
	if (err == 0 && !t->binds)
		err = (t->binds = calloc(1, sizeof(*t->binds))) ? 0 : -ENOMEM;
	if (err == 0 && !t->path)
		err = (t->path = strdup("")) ? 0 : -ENOMEM;
	return err;
}

int toolchains_find(const struct person *owner, const char *project, unsigned what,
	struct toolchains *ret, struct error *e)
{
	_cleanup_(person_reply_done) struct person_reply r = {0};
	_cleanup_(toolchains_done) struct toolchains t = {0};
	struct looking l = {.owner = owner,
		.project = project,
		.all = what & TOOLCHAINS_ALL,
		.identity = what & TOOLCHAINS_IDENTITY};
	int err = as_person(owner, look, &l, -1, LOOK_MS, &r, e);

	if (err < 0)
		return err;
	err = r.result < 0 ? r.result : take(&t, &r);
	if (err < 0)
		return error_errno(e, err, "look for toolchains and git's identity of '%s'", owner->name);
	*ret = t;
	t = (struct toolchains){0};
	return 0;
}

void toolchains_done(struct toolchains *t)
{
	for (size_t i = 0; t->binds && t->binds[i]; i++)
		free(t->binds[i]);
	free(t->binds);
	free(t->path);
	free(t->claude);
	free(t->gitconfig);
	*t = (struct toolchains){0};
}
