/*
 * .git/config, read as its owner for the keys that make git run something.  The form is that of
 * git-config(1): [section "subsection"], key = value, comments by # and ;, lines that go on after a
 * backslash.
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
	"guitool.*.cmd", "hook.*", "receive.*", "transfer.*", "safe.*",
};

bool git_key_runs(const char *key)
{
	for (size_t i = 0; i < ELEMENTSOF(runs); i++)
		if (fnmatch(runs[i], key, 0) == 0)
			return true;
	return false;
}

static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

/* `remote "a.b"` to `remote.a.b`. */
static void section_parse(char *head, char section[static KEY_MAX])
{
	char *quote = strchr(head, '"'), *last = strrchr(head, '"');

	if (quote) {
		*quote = '\0';
		if (last > quote)
			*last = '\0';
	}
	head += strspn(head, " \t");
	head[strcspn(head, " \t")] = '\0';
	lower(head);
	snprintf(section, KEY_MAX, "%s%s%s", head, quote ? "." : "", quote ? quote + 1 : "");
}

/* Which keys, and what their records are. */
struct pick {
	bool (*want)(const char *key);
	char kind;
	unsigned tree;
	bool clean; /* the value without quotes and comments */
};

/* `"a \"b\"" # c` to `a "b"`, in place. */
static void value_clean(char *value)
{
	bool quoted = false;
	char *to = value, *end = value;

	for (const char *c = value; *c; c++) {
		if (*c == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (*c == '#' || *c == ';' || *c == '\r'))
			break;
		if (*c == '\\' && c[1])
			c++;
		*to++ = *c;
		if (quoted || (*c != ' ' && *c != '\t'))
			end = to;
	}
	*end = '\0';
}

static int key_line(char *line, const char *section, const struct pick *p, struct person_out *out)
{
	char key[2 * KEY_MAX], record[4 * KEY_MAX];
	char *value = strchr(line, '=');
	size_t n;
	int size;

	if (value)
		*value++ = '\0';
	n = strcspn(line, " \t\r");
	line[n] = '\0';
	if (n == 0)
		return 0;
	lower(line);
	snprintf(key, sizeof(key), "%s.%s", section, line);
	if (!p->want(key))
		return 0;
	value = value ? value + strspn(value, " \t") : (char *)"";
	if (p->clean && *value)
		value_clean(value);
	size = snprintf(record, sizeof(record), "%c%u\t%s=%s", p->kind, p->tree, key, value);
	if (size < 0)
		return -EINVAL;
	if ((size_t)size >= sizeof(record))
		size = sizeof(record) - 1;
	return person_answer(out, record, (size_t)size + 1);
}

/* "[core] editor = x" is a header and, behind it, a key. */
static int header_line(char *line, char section[static KEY_MAX], const struct pick *p,
	struct person_out *out)
{
	bool quoted = false;
	char *end = line, *rest;

	for (; *end && (quoted || *end != ']'); end++)
		if (*end == '"')
			quoted = !quoted;
	if (!*end) {
		section[0] = '\0';
		return 0;
	}
	*end = '\0';
	rest = end + 1 + strspn(end + 1, " \t\r");
	section_parse(line + 1, section);
	return *rest && *rest != '#' && *rest != ';' ? key_line(rest, section, p, out) : 0;
}

static int config_parse(char *text, const struct pick *p, struct person_out *out)
{
	char section[KEY_MAX] = "", *save = NULL;
	int err = 0;

	/* A line that goes on is one line. */
	for (char *c = text; (c = strstr(c, "\\\n"));)
		c[0] = c[1] = ' ';
	for (char *line = strtok_r(text, "\n", &save); line && err == 0;
		line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '[')
			err = header_line(line, section, p, out);
		else if (*line != '#' && *line != ';')
			err = key_line(line, section, p, out);
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

/* What is not plainly absent and cannot be read, a link above all, is told: git would go behind it. */
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
	return config_parse(text, &(struct pick){git_key_runs, LOOK_GIT, tree, false}, out);
}

static bool is_identity(const char *key)
{
	return streq(key, "user.name") || streq(key, "user.email") ||
		streq(key, "init.defaultbranch");
}

int look_git_identity(char *text, struct person_out *out)
{
	return config_parse(text, &(struct pick){is_identity, LOOK_IDENTITY, 0, true}, out);
}

int look_git(int dir, unsigned tree, struct person_out *out)
{
	int err = look_config(dir, "config", tree, out);

	return err < 0 ? err : look_config(dir, "config.worktree", tree, out);
}
