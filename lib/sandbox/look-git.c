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
	"lfs.*",
};

bool git_key_runs(const char *key)
{
	for (size_t i = 0; i < ELEMENTSOF(runs); i++)
		if (fnmatch(runs[i], key, 0) == 0)
			return true;
	return false;
}

/* Which keys, and what their records are. */
struct pick {
	bool (*want)(const char *key);
	char kind;
	unsigned tree;
};

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
	return p->want(key) ? answer_key(p, key, value, out) : 0;
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
	err = config_parse(text, &(struct pick){git_key_runs, LOOK_GIT, tree}, out);
	return err == -EBADMSG ? answer_strange(name, tree, out) : err;
}

static bool is_identity(const char *key)
{
	return streq(key, "user.name") || streq(key, "user.email") ||
		streq(key, "init.defaultbranch");
}

int look_git_identity(char *text, struct person_out *out)
{
	int err = config_parse(text, &(struct pick){is_identity, LOOK_IDENTITY, 0}, out);

	return err == -EBADMSG ? 0 : err; /* git says so itself */
}

int look_git(int dir, unsigned tree, struct person_out *out)
{
	int err = look_config(dir, "config", tree, out);

	return err < 0 ? err : look_config(dir, "config.worktree", tree, out);
}
