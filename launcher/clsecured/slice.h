/*
 * systemd's units of a worker: its slice, user@UID.service, user-runtime-dir@UID.service.  A worker
 * has no systemd --user, and its sandbox a /run/user/UID of its own; but logind asks for these units
 * at each login and orders the session behind them, so for each worker there are files that keep
 * them at rest.  Written before the first login, so that nobody need reload systemd for them.
 *
 * The slice would stop at the last logout, and a login that comes while it does gets no session
 * ("Transaction is destructive").  A unit that is started anew for each session, and to start one
 * whose condition is not met is no less, waits for every session that is ending: user@ is masked
 * (an empty file), user-runtime-dir@, which later versions of systemd insist on, starts once and
 * does nothing.
 *
 * The slice names both, so that they stay loaded: of a user who lingers logind asks again as soon
 * as one is unloaded, and asking loads and unloads it, for ever.
 *
 * The gateway's user `claude` has them too, from setup.
 */
#ifndef CLSECURE_SLICE_H
#define CLSECURE_SLICE_H

#include <stdio.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define SLICE_DIR "/etc/systemd/system"
/* Also of the drop-ins of all users' units, which these hide by having the same name. */
#define SLICE_DROPIN "50-clsecure.conf"
#define SLICE_NAME_MAX 64
#define SLICE_PATH_MAX 128

/* PREFIX UID SUFFIX is a folder with `file` in it, or the file itself. */
struct slice_file {
	const char *prefix, *suffix;
	const char *file; /* or NULL */
	const char *text;
};

static const struct slice_file slice_files[] = {
	{"user-", ".slice.d", SLICE_DROPIN,
		"# This login's sandbox has no systemd --user that would keep the slice between "
		"sessions.\n[Unit]\nStopWhenUnneeded=no\n"
		"# Loaded, though one of them never starts: else logind is busy with one who "
		"lingers.\nBefore=user@%j.service user-runtime-dir@%j.service\n"},
	{"user-runtime-dir@", ".service.d", SLICE_DROPIN,
		"# This login's sandbox has a /run/user of its own: there is nothing to do, once.\n"
		"[Unit]\nConditionPathIsSymbolicLink=\nStopWhenUnneeded=no\n"
		"[Service]\nExecStart=\nExecStop=\nExecStop=/bin/true\n"},
	{"user@", ".service", NULL, ""}};

/* Within SLICE_DIR. */
static inline void slice_name(
	const struct slice_file *f, uid_t worker, char ret[static SLICE_NAME_MAX])
{
	snprintf(ret, SLICE_NAME_MAX, "%s%u%s", f->prefix, worker, f->suffix);
}

/* The whole path of the file. */
static inline void slice_path(
	const struct slice_file *f, uid_t worker, char ret[static SLICE_PATH_MAX])
{
	snprintf(ret, SLICE_PATH_MAX, SLICE_DIR "/%s%u%s%s%s", f->prefix, worker, f->suffix,
		f->file ? "/" : "", f->file ?: "");
}

/* Writes the files; nothing where there is no systemd.  What already stands in user@'s place stays. */
int slice_keep(uid_t worker, struct error *e);

/* Takes all away that is ours, whatever fails, and stops the slice.  0 also where there are none. */
int slice_drop(uid_t worker, struct error *e);

#endif
