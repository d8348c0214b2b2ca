#include "config.h"
#include "launcher/clsecure/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "launcher/clsecure/lines.h"
#include "lib/base/macros.h"

#define SAVED ".clsecure-saved"
#define NEW_MODE 0644

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->change[i].path);
		free(p->change[i].old);
		free(p->change[i].new);
	}
	free(p->change);
	*p = (struct plan){0};
}

static int under(const char *root, const char *path, char buf[static PATH_MAX])
{
	return snprintf(buf, PATH_MAX, "%s%s", root, path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int read_text(int fd, char **ret_text)
{
	_cleanup_free_ char *text = malloc(LINES_FILE_MAX + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	for (;;) {
		ssize_t k = read(fd, text + n, LINES_FILE_MAX + 1 - n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0)
			break;
		n += (size_t)k;
		if (n > LINES_FILE_MAX)
			return -EFBIG;
	}
	text[n] = '\0';
	if (strlen(text) != n)
		return -EBADMSG;
	*ret_text = TAKE_PTR(text);
	return 0;
}

int host_read(const char *root, const char *path, char **ret_text, struct error *e)
{
	_cleanup_close_ int fd = -1;
	char full[PATH_MAX];
	struct stat st;
	int err = under(root, path, full);

	if (err == 0) {
		fd = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		err = fd < 0 ? -errno : 0;
	}
	if (err == -ENOENT) {
		*ret_text = NULL;
		return 0;
	}
	if (err == -ELOOP)
		return error_set(e, err,
			"'%s' is a symbolic link, which setup does not follow: put a file in its "
			"place",
			path);
	if (err == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		err = -EINVAL;
	if (err == 0)
		err = read_text(fd, ret_text);
	return err < 0 ? error_errno(e, err, "reading '%s'", path) : 0;
}

int plan_add(struct plan *p, enum stage stage, const char *path, char *old, char *new,
	struct error *e)
{
	struct change c = {.stage = stage, .old = old, .new = new}, *grown;

	if ((!old && !new) || (old && new && streq(old, new))) {
		free(old);
		free(new);
		return 0;
	}
	c.path = strdup(path);
	grown = reallocarray(p->change, p->n + 1, sizeof(*grown));
	if (grown)
		p->change = grown;
	if (!grown || !c.path) {
		free(c.path);
		free(old);
		free(new);
		return error_errno(e, -ENOMEM, "'%s'", path);
	}
	grown[p->n++] = c;
	return 0;
}

int plan_print(const struct plan *p, FILE *f)
{
	for (size_t i = 0; i < p->n; i++) {
		_cleanup_free_ char *diff = NULL;
		int err = text_diff(p->change[i].path, p->change[i].old, p->change[i].new, &diff);

		if (err < 0)
			return err;
		fputs(diff, f);
		if (p->change[i].keep)
			fprintf(f, "(it was changed since setup wrote it: kept as %s%s)\n",
				p->change[i].path, SAVED);
	}
	return 0;
}

/*
 * SELinux's context, ACLs, capabilities; what the file system cannot take is not there to be lost.
 */
static int copy_attributes(int from, int to)
{
	char names[4096], value[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));

	for (char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		ssize_t size = fgetxattr(from, name, value, sizeof(value));

		if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) < 0)
			return -errno;
	}
	return n < 0 && errno != ENOTSUP ? -errno : 0;
}

static int copy_owner(const char *full, int to)
{
	_cleanup_close_ int from = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (from < 0)
		return errno == ENOENT && fchmod(to, NEW_MODE) == 0 ? 0 : -errno;
	if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0 ||
		fchmod(to, st.st_mode & 07777) < 0)
		return -errno;
	return copy_attributes(from, to);
}

static int sync_parent(const char *full)
{
	char parent[PATH_MAX];
	_cleanup_close_ int fd = -1;

	snprintf(parent, sizeof(parent), "%s", full);
	*strrchr(parent, '/') = '\0';
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int write_whole(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t k = write(fd, text, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		text += k;
		n -= (size_t)k;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The folder of a drop-in is made with it. */
static int make_parent(const char *full)
{
	char parent[PATH_MAX];

	snprintf(parent, sizeof(parent), "%s", full);
	*strrchr(parent, '/') = '\0';
	return mkdir(parent, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static int replace(const char *full, const char *text)
{
	_cleanup_close_ int fd = -1;
	const char *slash = strrchr(full, '/');
	char temporary[PATH_MAX];
	int err = make_parent(full);

	if (err < 0)
		return err;
	if (snprintf(temporary, sizeof(temporary), "%.*s/.%s.XXXXXX", (int)(slash - full), full,
		    slash + 1) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = copy_owner(full, fd);
	if (err == 0)
		err = write_whole(fd, text);
	if (err == 0 && rename(temporary, full) < 0)
		err = -errno;
	if (err < 0) {
		unlink(temporary);
		return err;
	}
	return sync_parent(full);
}

/* Takes a file away, and the folder of a drop-in when it is then empty. */
static int take_away(const char *full, bool keep)
{
	char other[PATH_MAX];

	if (keep) {
		if (snprintf(other, sizeof(other), "%s" SAVED, full) >= (int)sizeof(other))
			return -ENAMETOOLONG;
		if (rename(full, other) < 0)
			return -errno;
	} else if (unlink(full) < 0)
		return -errno;
	if (sync_parent(full) < 0)
		return -errno;
	snprintf(other, sizeof(other), "%s", full);
	*strrchr(other, '/') = '\0';
	if (strlen(other) > 2 && streq(other + strlen(other) - 2, ".d") &&
		strstr(other, "/systemd/"))
		(void)rmdir(other);
	return 0;
}

static int same_text(const char *a, const char *b)
{
	return (!a && !b) || (a && b && streq(a, b));
}

static int change_apply(const char *root, struct change *c, struct error *e)
{
	_cleanup_free_ char *now = NULL;
	char full[PATH_MAX];
	int err = host_read(root, c->path, &now, e);

	if (err < 0)
		return err;
	if (!same_text(now, c->old))
		return error_set(e, -ESTALE, "'%s' was changed meanwhile: run this again", c->path);
	err = under(root, c->path, full);
	if (err == 0)
		err = c->new ? replace(full, c->new) : take_away(full, c->keep);
	if (err < 0)
		return error_errno(e, err, "changing '%s'", c->path);
	c->done = true;
	return 0;
}

int plan_apply(struct plan *p, enum stage stage, struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < p->n && err == 0; i++)
		if (p->change[i].stage == stage && !p->change[i].done)
			err = change_apply(p->root, &p->change[i], e);
	return err;
}

void plan_revert(struct plan *p)
{
	for (size_t i = p->n; i-- > 0;) {
		struct change *c = &p->change[i];
		_cleanup_free_ char *now = NULL;
		char full[PATH_MAX];

		if (!c->done || host_read(p->root, c->path, &now, NULL) < 0 ||
			!same_text(now, c->new) || under(p->root, c->path, full) < 0)
			continue;
		if ((c->old ? replace(full, c->old) : take_away(full, false)) == 0)
			c->done = false;
	}
}
