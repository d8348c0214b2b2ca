/* Mounts and directories by descriptor, for the builder. */
#ifndef CLSECURE_TREE_H
#define CLSECURE_TREE_H

#include "lib/sandbox/plan.h"

/*
 * O_PATH of a path below root; through mounts, never through a link (the last may be one: it is
 * what opens).
 */
int tree_open(int root, const char *path, int *ret_fd);

/* As tree_open, of a directory; what is missing is made, 0755, in directories of root's only. */
int tree_mkdirs(int root, const char *path, int *ret_fd);

/* A new file system, detached; options: NULL-terminated pairs. */
int tree_filesystem(const char *type, const char *const *options, uint64_t flags, int *ret_tree);

/* By size, inodes, mode and owner of the step. */
int tree_tmpfs(const struct plan_step *s, uint64_t flags, int *ret_tree);

/* Adds MOUNT_ATTR_* flags, and private propagation. */
int tree_flags(int tree, uint64_t flags, bool recursive);

/* A detached mount onto an open directory or file. */
int tree_attach(int tree, int at);

#endif
