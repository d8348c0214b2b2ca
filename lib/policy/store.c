#include "config.h"
#include "lib/policy/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/policy/ini.h"
#include "lib/policy/paths.h"
#include "lib/policy/words.h"

#define STATE_SECTION "State"
#define LOCK_WAIT_MS 5000

void project_file_done(struct project_file *f)
{
	layer_done(&f->layer);
	free(f->path);
	f->path = NULL;
}

void project_file_freep(struct project_file **f)
{
	if (*f)
		project_file_done(*f);
	free(*f);
}

static int trusted(int fd, const char *what, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(e, -errno, "stat '%s'", what);
	if (st.st_uid != policy_paths()->trusted || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return error_set(e, -EPERM, "'%s' is not root's alone to write", what);
	return 0;
}

int file_error(int err, struct error *e)
{
	if (err != -EINVAL && err != -EOPNOTSUPP && err != -ENOENT)
		return err;
	if (e)
		e->code = -EBADMSG;
	return -EBADMSG;
}

int read_trusted(int dir, const char *path, char **ret_data, size_t *ret_size, struct error *e)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
							   (dir == AT_FDCWD ? 0 : O_NOFOLLOW));
	int err;

	if (fd < 0)
		return error_errno(e, -errno, "open '%s'", path);
	err = trusted(fd, path, e);
	if (err < 0)
		return err;
	err = read_whole(fd, INI_FILE_MAX, ret_data, ret_size);
	if (err == -EINVAL)
		return error_set(e, err, "'%s' is not a regular file", path);
	return err < 0 ? error_errno(e, err, "read '%s'", path) : 0;
}

int lock_wait(int fd, struct error *e)
{
	const struct timespec nap = {.tv_nsec = 10 * 1000 * 1000};

	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 10) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(e, -errno, "wait for another change");
		if (waited >= LOCK_WAIT_MS)
			return error_set(e, -EBUSY, "another change goes on");
		nanosleep(&nap, NULL);
	}
	return 0;
}

int projects_open(bool exclusive, int *ret_fd, struct error *e)
{
	const char *path = policy_paths()->projects;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err;

	if (fd < 0 && errno == ENOENT)
		return error_set(e, -ENOENT, "there are no projects");
	if (fd < 0)
		return error_errno(e, -errno, "open '%s'", path);
	err = trusted(fd, path, e);
	if (err == 0 && exclusive)
		err = lock_wait(fd, e);
	if (err < 0)
		return err;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int project_open(int projects, const char *slug, int *ret_fd, struct error *e)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	if (!slug_valid(slug))
		return error_set(e, -ENOENT, "there is no project '%s'", slug);
	fd = (int)syscall(SYS_openat2, projects, slug, &how, sizeof(how));
	if (fd < 0 && errno == ENOENT)
		return error_set(e, -ENOENT, "there is no project '%s'", slug);
	if (fd < 0)
		return error_errno(e, -errno, "open the project '%s'", slug);
	*ret_fd = fd;
	return 0;
}

/* "1000:alice" */
static int parse_owner(const char *text, struct project_file *f)
{
	const char *colon = strchr(text, ':');
	_cleanup_free_ char *digits = colon ? strndup(text, (size_t)(colon - text)) : NULL;
	uint64_t uid;

	if (!digits || parse_count(digits, &uid) < 0 || uid >= UINT32_MAX || !colon[1] ||
	    strlen(colon + 1) >= sizeof(f->owner_name))
		return -EINVAL;
	f->owner = (uid_t)uid;
	strcpy(f->owner_name, colon + 1);
	return 0;
}

static int parse_path(const char *text, struct project_file *f)
{
	struct value v;

	if (f->path || value_parse(SETTING_PATH, text, &v, NULL) < 0)
		return -EINVAL;
	f->path = TAKE_PTR(v.text);
	value_done(&v);
	return *f->path ? 0 : -EINVAL;
}

static int parse_by_admin(const char *text, struct project_file *f)
{
	_cleanup_(words_freep) char **words = NULL;
	size_t n;

	if (words_split(text, SETTING_COUNT_, &words, &n) < 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		enum setting s;

		if (setting_find(NULL, words[i], &s, NULL) < 0)
			return -EINVAL;
		f->by_admin[s] = true;
	}
	return 0;
}

static int parse_state(const char *key, const char *text, struct project_file *f, struct error *e)
{
	uint64_t version;
	int err = -EINVAL;

	if (streq(key, "Version"))
		err = parse_count(text, &version) < 0 || version != 1 ? -EINVAL : 0;
	else if (streq(key, "Created"))
		err = parse_count(text, &f->created);
	else if (streq(key, "Changed"))
		err = parse_count(text, &f->changed);
	else if (streq(key, "AdminSet"))
		err = parse_by_admin(text, f);
	return err < 0 ? error_set(e, -EINVAL, "[State] %s= is not of this version", key) : 0;
}

static int assign(void *arg, const char *section, const char *key, const char *value, unsigned line,
	struct error *e)
{
	struct project_file *f = arg;

	if (!key)
		return streq(section, STATE_SECTION) || section_check(section, e) == 0 ? 0 : -EINVAL;
	if (streq(section, STATE_SECTION))
		return parse_state(key, value, f, e);
	if (streq(section, "Project") && streq(key, "Path"))
		return parse_path(value, f) < 0 ? error_set(e, -EINVAL, "Path= is wrong") : 0;
	if (streq(section, "Project") && streq(key, "Owner"))
		return parse_owner(value, f) < 0 ? error_set(e, -EINVAL, "Owner= is wrong") : 0;
	return layer_assign(&f->layer, section, key, value, line, e);
}

int project_file_parse(const char *data, size_t size, const char *name,
	struct project_file *ret_file, struct error *e)
{
	_cleanup_(project_file_done) struct project_file f = {0};
	int err = layer_init(&f.layer, SOURCE_PROJECT, name);

	if (err < 0)
		return error_errno(e, err, "read '%s'", name);
	err = ini_parse(data, size, name, assign, &f, e);
	if (err < 0)
		return err;
	if (!f.path || !f.owner_name[0])
		return error_set(e, -EINVAL, "%s: there is no Path= or no Owner=", name);
	*ret_file = f;
	f = (struct project_file){0};
	return 0;
}

static int emit_line(void *arg, enum setting s, const char *text, unsigned line)
{
	fprintf(arg, "%s=%s\n", settings[s].key, text);
	return 0;
}

static void emit_state(const struct project_file *f, FILE *out)
{
	bool first = true;

	fprintf(out, "[" STATE_SECTION "]\nVersion=1\nCreated=%llu\nChanged=%llu\n",
		(unsigned long long)f->created, (unsigned long long)f->changed);
	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		if (f->by_admin[s] && f->layer.entries[s].set) {
			fprintf(out, "%s%s", first ? "AdminSet=" : " ", settings[s].key);
			first = false;
		}
	fputs(first ? "" : "\n", out);
}

static int emit(const struct project_file *f, FILE *out)
{
	_cleanup_free_ char *path = word_quote(f->path);
	const char *section = "Project";
	int err = 0;

	if (!path)
		return -ENOMEM;
	fprintf(out, "# clsecure's own; to change it: clsecure set PROJECT KEY=VALUE\n"
		"[Project]\nPath=%s\nOwner=%u:%s\n", path, f->owner, f->owner_name);
	for (enum setting s = 0; err == 0 && s < SETTING_COUNT_; s++) {
		if (!f->layer.entries[s].set)
			continue;
		if (!streq(section, settings[s].section)) {
			section = settings[s].section;
			fprintf(out, "[%s]\n", section);
		}
		err = layer_emit(&f->layer, s, emit_line, out);
	}
	emit_state(f, out);
	return err;
}

int project_file_text(const struct project_file *f, char **ret_text, struct error *e)
{
	_cleanup_(project_file_done) struct project_file again = {0};
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (!out)
		return error_errno(e, -errno, "write '%s'", PROJECT_CONF);
	err = emit(f, out);
	if (fclose(out) != 0 && err == 0)
		err = -ENOMEM;
	if (err < 0)
		return error_errno(e, err, "write '%s'", PROJECT_CONF);
	/* What cannot be read back must not be written. */
	err = project_file_parse(text, size, PROJECT_CONF, &again, e);
	if (err < 0)
		return err;
	*ret_text = TAKE_PTR(text);
	return 0;
}

int project_file_load(int project, const char *slug, struct project_file *ret_file, struct error *e)
{
	_cleanup_free_ char *data = NULL, *name = NULL;
	size_t size = 0;
	int err;

	if (asprintf(&name, "%s/%s/" PROJECT_CONF, policy_paths()->projects, slug) < 0) {
		name = NULL;
		return error_errno(e, -ENOMEM, "read " PROJECT_CONF);
	}
	err = read_trusted(project, PROJECT_CONF, &data, &size, e);
	if (err == -ENOENT)
		error_set(e, err, "'%s' is missing", name);
	if (err == 0)
		err = project_file_parse(data, size, name, ret_file, e);
	return file_error(err, e);
}

static int write_all(int fd, const char *text)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): project_file_text() made it */
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int project_file_save(int project, const struct project_file *f, struct error *e)
{
	static const char temporary[] = "." PROJECT_CONF ".new";
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	int err = project_file_text(f, &text, e);

	if (err < 0)
		return err;
	unlinkat(project, temporary, 0); /* of one that was killed */
	fd = openat(project, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = fd < 0 ? -errno : write_all(fd, text);
	if (err == 0 && renameat(project, temporary, project, PROJECT_CONF) < 0)
		err = -errno;
	if (err == 0 && fsync(project) < 0)
		err = -errno;
	if (err < 0) {
		unlinkat(project, temporary, 0);
		return error_errno(e, err, "write '%s'", PROJECT_CONF);
	}
	return 0;
}
