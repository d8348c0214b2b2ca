#include "config.h"
#include "lib/policy/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/policy/ini.h"
#include "lib/policy/paths.h"
#include "lib/policy/store.h"
#include "lib/policy/words.h"

#define PERSON_FILE ".config/clsecure/config"
#define PERSON_FILE_OLD ".clsecurerc"
#define PROJECT_FILE ".clsecure/config"
#define PERSON_FILE_MAX (32 * 1024) /* bytes */
#define PERSON_WAIT_MS 2000

void stack_done(struct stack *s)
{
	for (size_t i = 0; i < ELEMENTSOF(s->layers); i++)
		layer_done(&s->layers[i]);
	words_free(s->warnings);
	s->warnings = NULL;
	s->n_warnings = 0;
}

int stack_warn(struct stack *s, const char *format, ...)
{
	char **larger = reallocarray(s->warnings, s->n_warnings + 2, sizeof(char *));
	struct error words;
	va_list ap;

	if (!larger)
		return -ENOMEM;
	s->warnings = larger;
	va_start(ap, format);
	vsnprintf(words.text, sizeof(words.text), format, ap);
	va_end(ap);
	text_clean(words.text);
	s->warnings[s->n_warnings + 1] = NULL;
	s->warnings[s->n_warnings] = strdup(words.text);
	if (!s->warnings[s->n_warnings])
		return -ENOMEM;
	s->n_warnings++;
	return 0;
}

static int load_trusted(struct stack *s, enum source source, const char *path, struct error *e)
{
	_cleanup_free_ char *data = NULL;
	size_t size;
	int err = read_trusted(AT_FDCWD, path, &data, &size, e);

	if (err == -ENOENT)
		return err;
	if (err == 0 && layer_init(&s->layers[source], source, path) < 0)
		return error_errno(e, -ENOMEM, "read '%s'", path);
	if (err == 0)
		err = layer_parse(&s->layers[source], data, size, e);
	return file_error(err, e);
}

int load_admin(struct stack *s, struct error *e)
{
	struct error inner = {0};
	int err = load_trusted(s, SOURCE_ADMIN, policy_paths()->conf, &inner);

	if (err == -ENOENT)
		return 0;
	if (err < 0 && e)
		*e = inner;
	return err;
}

int load_profile(struct stack *s, const char *name, struct error *e)
{
	_cleanup_free_ char *path = NULL;
	int err;

	if (asprintf(&path, "%s/%s.conf", policy_paths()->profiles, name) < 0) {
		path = NULL;
		return error_errno(e, -ENOMEM, "read the profile '%s'", name);
	}
	err = load_trusted(s, SOURCE_PROFILE, path, e);
	if (err == -ENOENT)
		return error_set(e, -EINVAL, "there is no profile '%s' (%s)", name, path);
	return err;
}

/* --- in the child, as the person --- */

struct wire {
	uint32_t source, setting, line,
		length; /* and the text; setting SETTING_COUNT_: a warning */
};

struct files {
	const char *home, *project;
};

struct sending {
	struct person_out *out;
	enum source source;
};

static int send_setting(void *arg, enum setting s, const char *text, unsigned line)
{
	const struct sending *to = arg;
	struct wire w = {
		.source = to->source, .setting = s, .line = line, .length = (uint32_t)strlen(text)};
	int err = person_answer(to->out, &w, sizeof(w));

	return err < 0 ? err : person_answer(to->out, text, w.length);
}

/* A file below a directory.  -ENOENT when there is none of either. */
static int open_below(const char *dir, const char *path, bool links, int *ret_fd)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
			(links ? 0 : RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV),
	};
	_cleanup_close_ int dirfd = -1;
	int err = person_open(dir, O_PATH | O_DIRECTORY, S_IFDIR, links, &dirfd, NULL);

	if (err == -ENOENT || err == -ENOTDIR)
		return -ENOENT;
	if (err < 0)
		return err;
	*ret_fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	if (*ret_fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	return 0;
}

static int read_one(const char *dir, const char *path, enum source source, struct person_out *out,
	struct error *e)
{
	_cleanup_(layer_done) struct layer l = {0};
	_cleanup_free_ char *data = NULL, *name = NULL;
	struct sending to = {.out = out, .source = source};
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	int err;

	if (asprintf(&name, "%s/%s", dir, path) < 0 || layer_init(&l, source, name) < 0)
		return error_errno(e, -ENOMEM, "read '%s'", path);
	err = open_below(dir, path, source == SOURCE_PERSON, &fd);
	if (err == -ENOENT)
		return 0;
	if (err == -ELOOP || err == -EXDEV)
		return error_set(e, -EINVAL, "'%s': a link or a mount on the way leads elsewhere",
			name);
	if (err == 0)
		err = read_whole(fd, PERSON_FILE_MAX, &data, &size);
	if (err == -EINVAL)
		return error_set(e, err, "'%s' is not a regular file", name);
	if (err < 0)
		return error_errno(e, err == -ENOENT ? -EIO : err, "read '%s'", name);
	err = layer_parse(&l, data, size, e);
	for (enum setting s = 0; err == 0 && s < SETTING_COUNT_; s++) {
		err = layer_emit(&l, s, send_setting, &to);
		if (err < 0)
			error_errno(e, err, "read '%s'", name);
	}
	return err;
}

/*
 * Who works inside can break this file, and so keep out everybody who would come; what it said that
 * tightens would be lost if it counted as empty.  A rename works whatever was put there, and follows
 * no link.
 */
static void tell_remedy(struct error *e)
{
	static const char remedy[] = "; to be rid of it, in the project: mv .clsecure .clsecure.bad";

	if (!e)
		return;
	e->text[strnlen(e->text, sizeof(e->text) - sizeof(remedy))] = '\0';
	strcat(e->text, remedy);
}

static int read_files(void *arg, struct person_out *out, struct error *e)
{
	const struct files *f = arg;
	_cleanup_close_ int old = -1;
	int err = read_one(f->home, PERSON_FILE, SOURCE_PERSON, out, e);

	if (err == 0) {
		err = read_one(f->project, PROJECT_FILE, SOURCE_PROJECT_FILE, out, e);
		if (err < 0)
			tell_remedy(e);
	}
	if (err == 0 && open_below(f->home, PERSON_FILE_OLD, true, &old) == 0) {
		struct sending to = {.out = out, .source = SOURCE_PERSON};

		err = send_setting(&to, SETTING_COUNT_,
			"~/" PERSON_FILE_OLD " is the earlier clsecure's and not "
			"read; ~/" PERSON_FILE " takes its place, see clsecure.conf(5)",
			0);
	}
	return err;
}

/* --- in the parent --- */

static int take_one(struct stack *s, const struct wire *w, const char *text, struct error *e)
{
	struct layer *l =
		&s->layers[w->source == SOURCE_PERSON ? SOURCE_PERSON : SOURCE_PROJECT_FILE];

	if ((w->source != SOURCE_PERSON && w->source != SOURCE_PROJECT_FILE) ||
		strlen(text) != w->length)
		return error_set(e, -EPROTO, "the person's files gave nonsense");
	if (w->setting == SETTING_COUNT_)
		return stack_warn(s, "%s", text);
	if (w->setting > SETTING_COUNT_)
		return error_set(e, -EPROTO, "the person's files gave nonsense");
	return layer_assign_setting(l, (enum setting)w->setting, text, w->line, e);
}

int take_answer(struct stack *s, const char *data, size_t size, struct error *e)
{
	while (size > 0) {
		_cleanup_free_ char *text = NULL;
		struct wire w;
		int err;

		if (size < sizeof(w))
			return error_set(e, -EPROTO, "the person's files gave nonsense");
		memcpy(&w, data, sizeof(w));
		data += sizeof(w);
		size -= sizeof(w);
		if (w.length > size)
			return error_set(e, -EPROTO, "the person's files gave nonsense");
		text = strndup(data, w.length);
		if (!text)
			return error_errno(e, -ENOMEM, "read the person's files");
		data += w.length;
		size -= w.length;
		err = take_one(s, &w, text, e);
		if (err < 0)
			return err;
	}
	return 0;
}

static int name_layer(struct stack *s, enum source source, const char *dir, const char *path,
	struct error *e)
{
	_cleanup_free_ char *name = NULL;

	if (asprintf(&name, "%s/%s", dir, path) < 0 ||
		layer_init(&s->layers[source], source, name) < 0)
		return error_errno(e, -ENOMEM, "read '%s'", path);
	return 0;
}

int load_persons(struct stack *s, const struct person *owner, const char *project, struct error *e)
{
	_cleanup_(person_reply_done) struct person_reply r = {0};
	struct files f = {.home = owner->home, .project = project};
	int err;

	err = name_layer(s, SOURCE_PERSON, owner->home, PERSON_FILE, e);
	if (err == 0)
		err = name_layer(s, SOURCE_PROJECT_FILE, project, PROJECT_FILE, e);
	if (err == 0)
		err = as_person(owner, read_files, &f, -1, PERSON_WAIT_MS, &r, e);
	if (err < 0)
		return err;
	if (r.result < 0)
		return file_error(error_set(e, r.result, "%s", r.error.text), e);
	return take_answer(s, r.data, r.size, e);
}
