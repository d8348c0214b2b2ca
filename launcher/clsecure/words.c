#include "config.h"
#include "launcher/clsecure/words.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>

bool word_is_path(const char *word)
{
	return strchr(word, '/') || streq(word, ".") || streq(word, "..");
}

int word_add(struct message *q, const char *word, struct error *e)
{
	_cleanup_free_ char *real = NULL;
	int err;

	if (word && !word_is_path(word)) {
		err = message_add(q, "project", word);
		return err < 0 ? error_errno(e, err, "ask for '%s'", word) : 0;
	}
	real = realpath(word ?: ".", NULL);
	if (!real)
		return error_errno(e, -errno, "find the directory '%s'", word ?: ".");
	err = message_add(q, "path", real);
	return err < 0 ? error_errno(e, err, "ask for '%s'", real) : 0;
}

static bool has_git(const char *path)
{
	char git[PATH_MAX + 8];
	struct stat st;

	snprintf(git, sizeof(git), "%s/.git", path);
	return lstat(git, &st) == 0;
}

/* A directory that could be a project: the person's, and no home. */
static bool usable(const char *path)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == geteuid() && !(pw && streq(pw->pw_dir, path)) &&
	       !streq(path, "/");
}

char *git_top(const char *path)
{
	_cleanup_free_ char *at = strdup(path);

	for (char *slash; at && usable(at); *slash = '\0') {
		if (has_git(at))
			return TAKE_PTR(at);
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			break;
	}
	return strdup(path);
}

void project_done(struct project *p)
{
	char **lists[] = {p->pass_env, p->set_env};

	for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
		for (size_t k = 0; lists[i] && lists[i][k]; k++)
			free(lists[i][k]);
		free(lists[i]);
	}
	free(p->path);
	free(p->network);
	free(p->command);
	free(p->claude);
	*p = (struct project){0};
}

/* A list of the message as strings of its own. */
static char **copy_list(const struct message *m, const char *key)
{
	size_t n = 0;
	char **list = message_list(m, key, &n);

	for (size_t i = 0; list && i < n; i++)
		list[i] = strdup(list[i]);
	return list;
}

static int take_project(void *arg, const struct message *m)
{
	struct project *p = arg;

	project_done(p);
	snprintf(p->slug, sizeof(p->slug), "%s", message_get(m, "project") ?: "");
	p->path = strdup(message_get(m, "path") ?: "");
	p->network = strdup(message_get(m, "network") ?: "");
	p->command = strdup(message_get(m, "command") ?: "");
	p->claude = message_get(m, "claude") ? strdup(message_get(m, "claude")) : NULL;
	p->pass_env = copy_list(m, "pass-env");
	p->set_env = copy_list(m, "set-env");
	p->logged_in = message_is(m, "logged-in", "1");
	return p->path && p->network && p->command && p->pass_env && p->set_env ? 0 : -ENOMEM;
}

static int query(const struct cli *c, const char *word, struct message *q, struct project *p,
	struct answer *a)
{
	int err = request_new(c, "find", q);

	if (err < 0)
		return error_errno(&a->error, err, "ask");
	err = word_add(q, word, &a->error);
	return err < 0 ? err : ask(c, q, take_project, p, a);
}

struct added {
	char slug[SLUG_MAX + 1], user[WORKER_NAME_MAX + 1];
};

static int take_added(void *arg, const struct message *m)
{
	struct added *a = arg;

	snprintf(a->slug, sizeof(a->slug), "%s", message_get(m, "project") ?: "");
	snprintf(a->user, sizeof(a->user), "%s", message_get(m, "user") ?: "");
	return 0;
}

int project_add(const struct cli *c, struct message *q, const char *path,
	char ret_slug[static SLUG_MAX + 1])
{
	struct answer a = {0};
	struct added added = {0};
	int err = message_add(q, "path", path);

	if (err == 0 && c->yes)
		err = message_add(q, "yes", "1");
	if (err < 0)
		error_errno(&a.error, err, "ask");
	else
		err = ask(c, q, take_added, &added, &a);
	if (err == -ENOTUNIQ && !c->yes) { /* root's */
		err = ask_yes(c, "'%s' belongs to root. Add it all the same?", path);
		if (err <= 0)
			return STATUS_FAILED;
		err = message_add(q, "yes", "1");
		if (err == 0)
			err = ask(c, q, take_added, &added, &a);
	}
	if (err < 0)
		return answer_fail(c, &a);
	snprintf(ret_slug, SLUG_MAX + 1, "%s", added.slug);
	if (c->command->flags & COMMAND_OPENS) {
		if (!c->quiet)
			complain("added project '%s' (%s, user %s)", added.slug, path, added.user);
	} else if (!c->json)
		printf("%s %s\n", added.slug, added.user);
	return 0;
}

/* The directory that becomes the project of a word. */
static char *directory_for(const char *word)
{
	_cleanup_free_ char *real = realpath(word ?: ".", NULL);

	return real ? git_top(real) : NULL;
}

/* A word that is no project may be a mistyped command. */
static int find_fail(const struct cli *c, const char *word, const struct answer *a)
{
	const char *near = NULL;
	int status = answer_fail(c, a);

	if (a->error.code == -ENOENT && a->remedy[0] && c->command == &command_run && word &&
		!word_is_path(word))
		near = command_nearest(word);
	if (near)
		remedy("Did you mean 'clsecure %s'?", near);
	return status;
}

int project_find(const struct cli *c, const char *word, unsigned flags, struct project *ret_project)
{
	_cleanup_(project_done) struct project p = {0};
	_cleanup_message_ struct message q = {0}, add = {0};
	_cleanup_free_ char *directory = NULL;
	struct answer a = {0};
	int err = query(c, word, &q, &p, &a);

	if (err == -ENOENT && (flags & FIND_ADD) && message_get(&q, "path")) {
		char slug[SLUG_MAX + 1];
		int status;

		directory = directory_for(word);
		if (!directory || message_add(&add, "op", "add") < 0)
			return answer_fail(c, &a);
		status = project_add(c, &add, directory, slug);
		if (status != 0)
			return status;
		message_done(&q);
		a = (struct answer){0};
		err = query(c, slug, &q, &p, &a);
	}
	if (err < 0)
		return find_fail(c, word, &a);
	*ret_project = p;
	p = (struct project){0};
	return 0;
}
