#include "config.h"
#include "lib/base/person.h"
#include "lib/base/names.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define PW_BUFFER_MAX (1024 * 1024) /* bytes; a larger entry is no entry */
#define GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */

static bool ours(uid_t uid, const char *name)
{
	return (uid >= UID_RESERVED_FIRST && uid <= CLSECURE_UID_LAST) ||
	       identity_of(name) != IDENTITY_OTHER;
}

/* Every group of the person, as initgroups(3) would set them. */
static int person_groups(struct person *p)
{
	int n = 32, room;

	for (;;) {
		gid_t *groups = reallocarray(p->groups, (size_t)n, sizeof(gid_t));

		if (!groups)
			return -ENOMEM;
		p->groups = groups;
		room = n;
		if (getgrouplist(p->name, p->gid, groups, &n) >= 0)
			break;
		n = n > room ? n : room * 2;
		if (n > GROUPS_MAX)
			return -E2BIG;
	}
	p->n_groups = (size_t)n;
	return 0;
}

static int person_fill(const struct passwd *pw, bool groups, struct person *ret_person,
	struct error *e)
{
	_cleanup_(person_done) struct person p = {.uid = pw->pw_uid, .gid = pw->pw_gid};
	int err;

	if (ours(pw->pw_uid, pw->pw_name))
		return error_set(e, -EINVAL, "'%s' is one of clsecure's own users", pw->pw_name);
	if (strlen(pw->pw_name) >= sizeof(p.name) || strlen(pw->pw_dir) >= sizeof(p.home))
		return error_set(e, -ENAMETOOLONG, "the name or the home of user '%s' is too long",
			pw->pw_name);
	strcpy(p.name, pw->pw_name);
	strcpy(p.home, pw->pw_dir[0] == '/' ? pw->pw_dir : "/");
	err = groups ? person_groups(&p) : 0;
	if (err < 0)
		return error_errno(e, err, "list the groups of user '%s'", p.name);
	*ret_person = p;
	p.groups = NULL;
	return 0;
}

/* name or, where that is NULL, uid */
static int person_look_up(const char *name, uid_t uid, bool groups, struct person *ret_person,
	struct error *e)
{
	_cleanup_free_ char *buffer = NULL;
	struct passwd pw, *found = NULL;
	size_t size = 4096;
	int err;

	do {
		char *larger = realloc(buffer, size);

		if (!larger)
			return error_errno(e, -ENOMEM, "look up a user");
		buffer = larger;
		err = name ? getpwnam_r(name, &pw, buffer, size, &found)
			   : getpwuid_r(uid, &pw, buffer, size, &found);
		size *= 2;
	} while (err == ERANGE && size <= PW_BUFFER_MAX);
	/* getpwnam_r(3): these too mean that there is no such user */
	if (err == ENOENT || err == ESRCH || err == EBADF || err == EPERM)
		found = NULL, err = 0;
	if (err != 0)
		return name ? error_errno(e, -err, "look up user '%s'", name)
			    : error_errno(e, -err, "look up uid %u", uid);
	/* A source that ignores case must not make two persons of one. */
	if (found && (name ? !streq(found->pw_name, name) : found->pw_uid != uid))
		found = NULL;
	if (!found)
		return name ? error_set(e, -ENOENT, "there is no user '%s'", name)
			    : error_set(e, -ENOENT, "there is no user with uid %u", uid);
	return person_fill(found, groups, ret_person, e);
}

int person_by_uid(uid_t uid, struct person *ret_person, struct error *e)
{
	if (uid == (uid_t)-1)
		return error_set(e, -ENOENT, "there is no user with uid %u", uid);
	return person_look_up(NULL, uid, true, ret_person, e);
}

int person_by_uid_alone(uid_t uid, struct person *ret_person, struct error *e)
{
	if (uid == (uid_t)-1)
		return error_set(e, -ENOENT, "there is no user with uid %u", uid);
	return person_look_up(NULL, uid, false, ret_person, e);
}

int person_by_name(const char *name, struct person *ret_person, struct error *e)
{
	return person_look_up(name, 0, true, ret_person, e);
}

void person_done(struct person *p)
{
	free(p->groups);
	p->groups = NULL;
	p->n_groups = 0;
}

bool person_in_group(const struct person *p, gid_t gid)
{
	if (p->gid == gid)
		return true;
	for (size_t i = 0; i < p->n_groups; i++)
		if (p->groups[i] == gid)
			return true;
	return false;
}

static const char *type_word(mode_t type)
{
	return type == S_IFREG ? "a regular file" :
	       type == S_IFDIR ? "a directory" : "a regular file or a directory";
}

int person_open(const char *path, int flags, mode_t type, bool links, int *ret_fd, struct error *e)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_NO_MAGICLINKS | (links ? 0 : RESOLVE_NO_SYMLINKS),
	};
	_cleanup_close_ int fd = -1;
	struct stat st;
	bool fits;

	if (path[0] != '/')
		return error_set(e, -EINVAL, "open '%s': the path is not absolute", path);
	if (!(flags & O_PATH)) /* which takes neither */
		how.flags |= O_NONBLOCK | O_NOCTTY;
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd < 0 && errno == ELOOP)
		return error_set(e, -ELOOP, "open '%s': there is a symbolic link on the way", path);
	if (fd < 0)
		return error_errno(e, -errno, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return error_errno(e, -errno, "stat '%s'", path);
	fits = type ? (st.st_mode & S_IFMT) == type : S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
	if (!fits)
		return error_set(e, type == S_IFDIR ? -ENOTDIR : -EINVAL, "open '%s': it is not %s",
			path, type_word(type));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int read_whole(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	_cleanup_free_ char *data = NULL;
	size_t size = 0, room = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && (uint64_t)st.st_size > max)
		return -EFBIG;
	do {
		if (size + 1 >= room) { /* one for the NUL, one that shows what is past max */
			char *larger;

			room = room ? room * 2 : (size_t)st.st_size + 4096;
			if (room > max + 2)
				room = max + 2;
			larger = realloc(data, room);
			if (!larger)
				return -ENOMEM;
			data = larger;
		}
		n = read(fd, data + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		size += (size_t)n;
		if (size > max)
			return -EFBIG;
	} while (n != 0);
	data[size] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_size = size;
	return 0;
}
