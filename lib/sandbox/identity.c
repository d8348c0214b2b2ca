#include "config.h"
#include "lib/sandbox/identity.h"
#include "lib/sandbox/look.h"
#include "lib/base/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CONFIG_MAX ((size_t)256 * 1024)

int git_identity_look(const struct person *owner, struct person_out *out)
{
	static const char *const names[] = {
		".config/git/config", ".gitconfig"}; /* the later wins */
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

int git_identity_text(const char *records, size_t size, char **ret_text)
{
	const char *at = records, *pair;
	enum look_kind kind;
	char *text = NULL;
	unsigned tree;
	int err = 0;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return -ENOMEM;
	while (at && (err = look_next(&at, records + size, &kind, &tree, &pair)) > 0)
		if (kind == LOOK_IDENTITY)
			pair_write(f, pair);
	if (fclose(f) != 0)
		err = -ENOMEM;
	if (err < 0) {
		free(text);
		return err;
	}
	*ret_text = text;
	return 0;
}
