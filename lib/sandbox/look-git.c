/*
 * .git/config, read as its owner for the keys that make git run something.  The form is that of
 * git-config(1): [section "subsection"], key = value, comments by # and ;, values that go on after
 * a backslash.
 */
#include "config.h"
#include "lib/sandbox/look.h"
#include "lib/base/macros.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>

#define CONFIG_MAX ((size_t)256 * 1024)
#define KEY_MAX 512

/* Patterns over "section.subsection.key"; the subsection keeps its case, and may be missing. */
static const char *const runs[] = {
	"core.hookspath", "core.fsmonitor", "core.sshcommand", "core.pager", "core.editor",
	"core.askpass", "core.gitproxy", "core.alternaterefscommand", "core.worktree",
	"core.attributesfile", "core.excludesfile", "alias.*", "pager.*", "include.path",
	"includeif.*.path", "filter.*.clean", "filter.*.smudge", "filter.*.process",
	"diff.external", "diff.*.command", "diff.*.textconv", "difftool.*.cmd", "difftool.*.path",
	"merge.*.driver", "mergetool.*.cmd", "mergetool.*.path", "credential.helper",
	"credential.*.helper", "gpg.program", "gpg.*.program", "gpg.ssh.defaultkeycommand",
	"sequence.editor", "interactive.difffilter", "uploadpack.packobjectshook",
	"remote.*.uploadpack", "remote.*.receivepack", "remote.*.vcs", "remote.*.proxy",
	"submodule.*.update", "browser.*.cmd", "browser.*.path", "man.*.cmd", "man.*.path",
	"web.browser", "sendemail.*", "tar.*.command", "trailer.*.command", "trailer.*.cmd",
	"ssh.variant", "protocol.*", "url.*.insteadof", "url.*.pushinsteadof",
	"extensions.worktreeconfig", "init.templatedir", "instaweb.*", "imap.tunnel",
	"guitool.*.cmd", "hook.*", "receive.*", "transfer.*", "safe.*", "gc.recentobjectshook",
	"lfs.*", "svn.authorsprog",
	/* cookies, which a server chooses, are written into any file: a shell's start-up file, too */
	"http.cookiefile", "http.*.cookiefile", "http.savecookies", "http.*.savecookies",
};

/* Patterns of keys that say where a repository is. */
static const char *const places[] = {
	"remote.*.url", "remote.*.pushurl", "remote.pushdefault", "branch.*.remote",
	"branch.*.pushremote",
};

static bool is_one_of(const char *key, const char *const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fnmatch(patterns[i], key, 0) == 0)
			return true;
	return false;
}

/* Which keys, and what their records are. */
struct pick {
	bool (*want)(const struct pick *p, const char *key, const char *value);
	char kind;
	unsigned tree;
	int dir; /* of the project */
};

static bool is_in(int dir, const char *name, const char *suffix)
{
	char path[KEY_MAX];

	return snprintf(path, sizeof(path), "%s%s", name, suffix) >= (int)sizeof(path) ||
		faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Does a push to it run something here?  The hooks of a repository on this machine run as the
 * person; NAME::ADDRESS and NAME://ADDRESS name a program, git-remote-NAME.
 */
static bool place_runs(int dir, const char *key, const char *place)
{
	static const char *const far[] = {"http", "https", "ssh", "git", "ftp", "ftps", "git+ssh"};
	size_t n = strcspn(place, ":/");
	size_t end = strlen(key) > 3 ? strlen(key) - 3 : 0;

	if (place[n] == ':' && strncmp(place + n, "://", 3) != 0)
		return place[n + 1] == ':'; /* or HOST:PATH, by ssh */
	for (size_t i = 0; place[n] == ':' && i < ELEMENTSOF(far); i++)
		if (strlen(far[i]) == n && strncmp(place, far[i], n) == 0)
			return false;
	/* without a slash it is the name of a remote, where it is not that of a directory */
	if (place[n] == '\0' && !streq(key + end, "url"))
		return place[0] != '\0' && !streq(place, ".") &&
			(is_in(dir, place, "") || is_in(dir, place, ".git"));
	return true;
}

static bool key_runs(const struct pick *p, const char *key, const char *value)
{
	return is_one_of(key, runs, ELEMENTSOF(runs)) ||
		(is_one_of(key, places, ELEMENTSOF(places)) && place_runs(p->dir, key, value));
}

/*
 * Read as git reads it, a character at a time: what this took for a comment or a part of a value,
 * and git for a key, would never be told.  What git would not read is -EBADMSG.
 */
struct reader {
	char *at; /* in a text that ends with NUL */
	char section[KEY_MAX]; /* `remote.a.b` of `[remote "a.b"]` */
};

/* The end of the text ends a line as well. */
static char next_char(struct reader *r)
{
	if (!*r->at)
		return '\n';
	if (r->at[0] == '\r' && r->at[1] == '\n')
		r->at++;
	return *r->at++;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_key_char(char c)
{
	return isalnum((unsigned char)c) || c == '-';
}

/* What is too long is cut: the patterns see the start, and the key behind it. */
static void put(char buf[static KEY_MAX], char c)
{
	size_t n = strlen(buf);

	if (n + 1 < KEY_MAX) {
		buf[n] = c;
		buf[n + 1] = '\0';
	}
}

static void skip_line(struct reader *r)
{
	while (next_char(r) != '\n')
		;
}

/* Behind the blank after `remote`. */
static int read_subsection(struct reader *r, char c)
{
	for (; is_space(c); c = next_char(r))
		if (c == '\n')
			return -EBADMSG;
	if (c != '"')
		return -EBADMSG;
	put(r->section, '.');
	while ((c = next_char(r)) != '"') {
		if (c == '\\')
			c = next_char(r);
		if (c == '\n')
			return -EBADMSG;
		put(r->section, c);
	}
	return next_char(r) == ']' ? 0 : -EBADMSG;
}

static int read_section(struct reader *r)
{
	char c;

	r->section[0] = '\0';
	while ((c = next_char(r)) != ']') {
		if (is_space(c))
			return read_subsection(r, c);
		if (!is_key_char(c) && c != '.')
			return -EBADMSG;
		put(r->section, (char)tolower((unsigned char)c));
	}
	return 0;
}

static int unescape(char *c)
{
	static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
	const char *found = *c ? strchr(from, *c) : NULL;

	if (!found)
		return -EBADMSG;
	*c = to[found - from];
	return 0;
}

/* In its place: what is read is never shorter than what it means. */
static int read_value(struct reader *r, char **ret_value)
{
	char *value = r->at, *to = r->at, *end = r->at, c;
	bool quoted = false;

	while ((c = next_char(r)) != '\n') {
		bool blank = is_space(c) && !quoted;

		if (!quoted && (c == '#' || c == ';')) {
			skip_line(r);
			break;
		}
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\') {
			c = next_char(r);
			if (c == '\n') /* the value goes on */
				continue;
			if (unescape(&c) < 0)
				return -EBADMSG;
		}
		if (blank && to == value)
			continue;
		*to++ = c;
		if (!blank)
			end = to;
	}
	*end = '\0';
	*ret_value = value;
	return quoted ? -EBADMSG : 0;
}

static int answer_key(const struct pick *p, const char *key, const char *value,
	struct person_out *out)
{
	char head[2 * KEY_MAX + 32];
	int n = snprintf(head, sizeof(head), "%c%u\t%s=", p->kind, p->tree, key);

	return person_answer(out, head, (size_t)n) ?: person_answer(out, value, strlen(value) + 1);
}

static int read_key(struct reader *r, char c, const struct pick *p, struct person_out *out)
{
	char name[KEY_MAX] = "", key[2 * KEY_MAX], *value = (char *)"";
	int err = 0;

	for (; is_key_char(c); c = next_char(r))
		put(name, (char)tolower((unsigned char)c));
	while (c == ' ' || c == '\t')
		c = next_char(r);
	if (c == '=')
		err = read_value(r, &value);
	else if (c != '\n')
		err = -EBADMSG;
	if (err < 0)
		return err;
	snprintf(key, sizeof(key), "%s.%s", r->section, name);
	return p->want(p, key, value) ? answer_key(p, key, value, out) : 0;
}

static int config_parse(char *text, const struct pick *p, struct person_out *out)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct reader r = {.at = text};
	int err = 0;

	if (strncmp(text, bom, strlen(bom)) == 0)
		r.at += strlen(bom);
	while (err == 0 && *r.at) {
		char c = next_char(&r);

		if (c == '#' || c == ';')
			skip_line(&r);
		else if (c == '[')
			err = read_section(&r);
		else if (isalpha((unsigned char)c))
			err = read_key(&r, c, p, out);
		else if (!is_space(c))
			err = -EBADMSG;
	}
	return err;
}

static int answer_strange(const char *name, unsigned tree, struct person_out *out)
{
	char record[128];
	int n = snprintf(record, sizeof(record), "%c%u\t(a configuration that cannot be read)=%s",
		LOOK_GIT, tree, name);

	return person_answer(out, record, (size_t)n + 1);
}

/*
 * What is not plainly absent and cannot be read, a link above all, is told: git would go behind it.
 */
static int look_config(int dir, const char *name, unsigned tree, struct person_out *out)
{
	_cleanup_close_ int git =
		openat(dir, ".git", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int err;

	/* a file or a link is no business of this */
	if (git < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (git < 0)
		return answer_strange(name, tree, out);
	fd = openat(git, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : answer_strange(name, tree, out);
	err = read_whole(fd, CONFIG_MAX, &text, &size);
	if (err < 0 || strlen(text) != size)
		return answer_strange(name, tree, out);
	err = config_parse(text, &(struct pick){key_runs, LOOK_GIT, tree, dir}, out);
	return err == -EBADMSG ? answer_strange(name, tree, out) : err;
}

static bool is_identity(const struct pick *p, const char *key, const char *value)
{
	return streq(key, "user.name") || streq(key, "user.email") ||
		streq(key, "init.defaultbranch");
}

int look_git_identity(char *text, struct person_out *out)
{
	int err = config_parse(text, &(struct pick){is_identity, LOOK_IDENTITY, 0, -1}, out);

	return err == -EBADMSG ? 0 : err; /* git says so itself */
}

static int open_below(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* "exec COMMAND", "x COMMAND" */
static bool line_executes(const char *line)
{
	size_t n;

	line += strspn(line, " \t");
	n = strcspn(line, " \t");
	return line[n] && ((n == 4 && strncmp(line, "exec", n) == 0) || (n == 1 && line[0] == 'x'));
}

/* A rebase that stands still: `git rebase --continue` runs what its list says. */
static int look_rebase(int git, unsigned tree, struct person_out *out)
{
	_cleanup_close_ int state = open_below(git, "rebase-merge");
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	size_t size;
	int err = 0;

	if (state < 0)
		return errno == ENOENT ? 0 : answer_strange("rebase-merge", tree, out);
	fd = openat(state, "git-rebase-todo",
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || read_whole(fd, CONFIG_MAX, &text, &size) < 0 || strlen(text) != size)
		return answer_strange("rebase-merge/git-rebase-todo", tree, out);
	for (char *line = strtok_r(text, "\n", &save); err == 0 && line;
		line = strtok_r(NULL, "\n", &save))
		if (line_executes(line))
			err = answer_key(&(struct pick){.kind = LOOK_GIT, .tree = tree},
				"git rebase --continue", line, out);
	return err;
}

/* The place of a remote in a file of its name, as git had it before it had a configuration. */
static int look_old_remotes(int git, const char *folder, unsigned tree, struct person_out *out)
{
	int fd = open_below(git, folder), err = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (!d) {
		err = fd < 0 && errno == ENOENT ? 0 : answer_strange(folder, tree, out);
		closep(&fd);
		return err;
	}
	for (struct dirent *e; err == 0 && (e = readdir(d));)
		if (e->d_name[0] != '.')
			err = answer_key(&(struct pick){.kind = LOOK_GIT, .tree = tree}, folder,
				e->d_name, out);
	closedir(d);
	return err;
}

int look_git(int dir, unsigned tree, struct person_out *out)
{
	_cleanup_close_ int git = open_below(dir, ".git");
	int err = look_config(dir, "config", tree, out);

	if (err == 0)
		err = look_config(dir, "config.worktree", tree, out);
	if (err < 0 || git < 0) /* of what cannot be opened look_config() has told */
		return err;
	return look_rebase(git, tree, out)
		?: look_old_remotes(git, "remotes", tree, out)
		?: look_old_remotes(git, "branches", tree, out);
}
