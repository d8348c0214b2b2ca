/*
 * Who commits inside: user.name, user.email and init.defaultBranch of the owner's git, read from
 * ~/.gitconfig and ~/.config/git/config by a child that is the owner.  Nothing else of these files.
 */
#ifndef CLSECURE_IDENTITY_H
#define CLSECURE_IDENTITY_H

#include "lib/base/person.h"

/*
 * In that child: records LOOK_IDENTITY.  What cannot be read is as if it were not there: git says
 * itself what it lacks.
 */
int git_identity_look(const struct person *owner, struct person_out *out);

/* The text of an /etc/gitconfig, owned, from its answer; "" when the owner has not said. */
int git_identity_text(const char *records, size_t size, char **ret_text);

#endif
