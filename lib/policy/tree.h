/* Removal of a tree that a worker could write. */
#ifndef CLSECURE_TREE_H
#define CLSECURE_TREE_H

#include "lib/base/error.h"

/*
 * Removes `name` in the directory `parent`, whole: by descriptors, following no link, crossing no
 * mount (-EXDEV, -EBUSY: one is in the way), with two descriptors and no recursion whatever its
 * depth.  Killed anywhere, the next call goes on.  0 when there is none.
 */
int tree_remove(int parent, const char *name, struct error *e);

#endif
