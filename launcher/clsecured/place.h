/*
 * Where a project may be, and what it is called: questions that a path alone answers.
 */
#ifndef CLSECURE_PLACE_H
#define CLSECURE_PLACE_H

#include "lib/base/error.h"
#include "lib/base/names.h"
#include "lib/policy/words.h"

/*
 * -EPERM, with the reason, where no project may be; `home` is the owner's.  The path is one that
 * project_path_check() took.
 */
int place_allowed(const char *path, const char *home, struct error *e);

/*
 * The name that a path gives: the base name made a slug, or its first 12 characters and 4 hex of
 * the path's SHA-256.
 */
enum slug_form { SLUG_PLAIN, SLUG_HASHED };
void slug_of_path(const char *path, enum slug_form form, char ret_slug[static SLUG_MAX + 1]);

/* Would the plain name be cut, or is it a subcommand's? Then only the hashed one will do. */
bool slug_needs_hash(const char *path);

#endif
