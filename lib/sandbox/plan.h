/*
 * What a sandbox's file system is made of, as an ordered list of steps: plan_make() is a pure
 * function of its input, and build.c does what the list says, in this order, by descriptors.
 */
#ifndef CLSECURE_PLAN_H
#define CLSECURE_PLAN_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define INSIDE_BIN "/run/clsecure/bin" /* links to programs that lie elsewhere; in PATH */

enum plan_kind {
	PLAN_DIR, /* a directory of root's: mode */
	PLAN_LINK, /* a symbolic link to `source` */
	PLAN_FILE, /* a file of root's with `size` bytes of `source`: mode */
	PLAN_COPY, /* the host's file `source` as it is now, if it is root's and all may read it */
	/* the host's directory `source`, read-only and whole; a link is copied; none: nothing */
	PLAN_MIRROR,
	PLAN_DEVICE, /* the host's character device `source`, which must have `device` */
	PLAN_TMPFS, /* size in bytes, inodes, mode, owner */
	PLAN_PROC,
	PLAN_DEVPTS,
	PLAN_TREE, /* the detached mount number `tree` of the builder */
	/* a directory that is there becomes a mount of its own: it cannot be renamed or removed */
	PLAN_PIN,
	PLAN_READONLY, /* what is there, over itself, read-only */
	PLAN_COVER, /* what is there is hidden behind an empty directory or /dev/null */
	/* the mount at `destination` becomes read-only, those below it stay as they are */
	PLAN_SEAL,
};

enum plan_flags {
	PLAN_RDONLY = 1,
	PLAN_NOEXEC = 2,
	PLAN_OPTIONAL = 4, /* PIN, READONLY, COVER: nothing there is no error */
};

struct plan_step {
	enum plan_kind kind;
	unsigned flags;
	char *destination; /* absolute, inside; owned */
	char *source; /* owned */
	mode_t mode;
	uid_t owner; /* and group */
	uint64_t size, inodes;
	unsigned tree;
	dev_t device;
};

struct plan {
	struct plan_step *steps;
	size_t n, room;
	int error; /* -ENOMEM: an addition was lost, plan_make() fails */
};

/* A tree that the builder holds a descriptor of. */
struct plan_tree {
	const char *destination;
	bool writable;
};

struct plan_input {
	const char *slug, *project;
	uid_t worker;
	const char *worker_name, *owner_name;
	uid_t owner_uid;
	const char *resolv_conf; /* its text, with Network=full; else NULL */
	bool home_ephemeral;
	uint64_t tmp_size, tmp_inodes;
	/* 0: the project; 1: the home, unless ephemeral; then binds, in order */
	const struct plan_tree *trees;
	size_t n_trees;
	char *const *hide; /* absolute paths inside; NULL-terminated or NULL */
	char *const *pin, *const *protect, *const *cover; /* likewise; below trees */
	const char *claude; /* the program that INSIDE_BIN/claude leads to, or NULL */
	const char *gitconfig; /* text of /etc/gitconfig inside, or NULL */
};

/* -EINVAL: a destination where none may be; -ENOMEM. */
int plan_make(const struct plan_input *in, struct plan *ret_plan, struct error *e);
void plan_done(struct plan *p);

/*
 * May something of a person's be shown at this place?  Not on, above or below what root's programs
 * open by name.
 */
bool plan_destination_valid(const char *path);

#endif
