/*
 * The projects' directory and project.conf, which root alone writes.
 *
 * project.conf is in canonical form: the settings' sections in the table's order, one line per item
 * of a list, and at its end [State], which no other file has.
 */
#ifndef CLSECURE_STORE_H
#define CLSECURE_STORE_H

#include "lib/base/names.h"
#include "lib/policy/layer.h"

#define PROJECT_CONF "project.conf"

struct project_file {
	struct layer layer; /* without Path and Owner */
	char *path;
	uid_t owner;
	char owner_name[PERSON_NAME_MAX];
	uint64_t created, changed; /* seconds since the epoch */
	/* root said it: the administrator's limits do not hold for it */
	bool by_admin[SETTING_COUNT_];
};

void project_file_done(struct project_file *f);
void project_file_freep(struct project_file **f); /* it and its memory */
int project_file_parse(const char *data, size_t size, const char *name,
	struct project_file *ret_file, struct error *e);

/* Owned; what project_file_parse() reads back to the same, or -errno. */
int project_file_text(const struct project_file *f, char **ret_text, struct error *e);

/* Locks the open directory; -EBUSY after 5 s. */
int lock_wait(int fd, struct error *e);

/* The directory of all, checked to be root's.  `lock`: with lock_wait(). */
int projects_open(bool lock, int *ret_fd, struct error *e);

/* -ENOENT: there is no project of this name. */
int project_open(int projects, const char *slug, int *ret_fd, struct error *e);
int project_file_load(int project, const char *slug, struct project_file *ret_file,
	struct error *e);
int project_file_save(int project, const struct project_file *f, struct error *e);

/*
 * What is wrong in a file is -EBADMSG, in e too: -EINVAL and -EOPNOTSUPP are for what was typed,
 * -ENOENT is for projects.  Other codes and 0 stay.
 */
int file_error(int err, struct error *e);

/*
 * A regular file that belongs to root and that nobody else can write, at most INI_FILE_MAX bytes;
 * `dir` AT_FDCWD: an absolute path, links followed; else a name in `dir`, no link.  -ENOENT.
 */
int read_trusted(int dir, const char *path, char **ret_data, size_t *ret_size, struct error *e);

#endif
