/*
 * What a person has to be told about a project: an exec-later file that appeared, a key of
 * .git/config that makes git run something, a socket that had to be covered.
 *
 * Written by the keeper, at the latest at the end of the last session, to
 * PROJECTS_DIR/SLUG/log/findings, root's; one line each, "SECONDS TAB TEXT", cleaned.  `clsecure`
 * prints and clears them.  Root only.
 */
#ifndef CLSECURE_FINDINGS_H
#define CLSECURE_FINDINGS_H

#include "lib/base/error.h"

/* Bytes; when nobody reads them, later ones are only logged (-EFBIG), and the last line says so. */
#define FINDINGS_MAX ((size_t)64 * 1024)

/* Appends one line. */
int findings_add(const char *slug, const char *text, struct error *e);

/* All of them, "" when there are none; owned.  `clear`: and nothing is left, in one step. */
int findings_read(const char *slug, bool clear, char **ret_text, struct error *e);

#endif
