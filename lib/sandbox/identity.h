/*
 * Who commits inside: user.name, user.email and init.defaultBranch of the owner's git, read from
 * ~/.gitconfig and ~/.config/git/config by a child that is the owner.  Nothing else of these files.
 */
#ifndef CLSECURE_IDENTITY_H
#define CLSECURE_IDENTITY_H

#include "lib/base/person.h"

/* The text of an /etc/gitconfig, owned; "" when the owner has not said. */
int git_identity(const struct person *owner, char **ret_text, struct error *e);

#endif
