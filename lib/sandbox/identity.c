#include "config.h"
#include "lib/sandbox/identity.h"
#include "lib/sandbox/look.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define LOOK_MS 1000
#define CONFIG_MAX ((size_t)256 * 1024)

static int look(void *arg, struct person_out *out, struct error *e)
{
	static const char *const names[] = {
		".config/git/config", ".gitconfig"}; /* the later wins */
	const struct person *owner = arg;
	int err = 0;

	for (size_t i = 0; err == 0 && i < ELEMENTSOF(names); i++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_close_ int fd = -1;
		char path[PATH_MAX];
		size_t size;

		if (snprintf(path, sizeof(path), "%s/%s", owner->home, names[i]) >=
				(int)sizeof(path) ||
			person_open(path, O_RDONLY, S_IFREG, true, &fd, NULL) < 0 ||
			read_whole(fd, CONFIG_MAX, &text, &size) < 0 || strlen(text) != size)
			continue;
		err = look_git_identity(text, out);
	}
	return err;
}

/* "user.name=Ann" as git-config(1) wants it in a file. */
static void pair_write(FILE *f, const char *pair)
{
	const char *value = strchr(pair, '='), *dot = strchr(pair, '.');

	if (!value || !dot || dot > value)
		return;
	fprintf(f, "[%.*s]\n\t%.*s = \"", (int)(dot - pair), pair, (int)(value - dot - 1), dot + 1);
	for (value++; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', f);
		if ((unsigned char)*value >= 0x20)
			fputc(*value, f);
	}
	fprintf(f, "\"\n");
}

int git_identity(const struct person *owner, char **ret_text, struct error *e)
{
	_cleanup_(person_reply_done) struct person_reply r = {0};
	int err = as_person(owner, look, (void *)owner, -1, LOOK_MS, &r, e);
	const char *at, *pair;
	enum look_kind kind;
	char *text = NULL;
	unsigned tree;
	size_t size;
	FILE *f;

	if (err < 0)
		return err;
	f = open_memstream(&text, &size);
	if (!f)
		return error_errno(e, -ENOMEM, "git's identity of '%s'", owner->name);
	/* What cannot be read is as if it were not there: git says itself what it lacks. */
	at = r.result == 0 ? r.data : NULL;
	while (at && look_next(&at, r.data + r.size, &kind, &tree, &pair))
		pair_write(f, pair);
	if (fclose(f) != 0) {
		free(text);
		return error_errno(e, -ENOMEM, "git's identity of '%s'", owner->name);
	}
	*ret_text = text;
	return 0;
}
