/*
 * systemd's slice of a worker.  Without a user@UID.service in it, it stops at the last logout, and
 * a login that comes while it does gets no session ("Transaction is destructive").  A drop-in for
 * each worker keeps it; written before the first login, so that nobody need reload systemd for it.
 *
 * It names the units that the worker's condition skips, so that they stay loaded: of a user who
 * lingers logind asks again as soon as one is unloaded, and asking loads and unloads it, for ever.
 */
#ifndef CLSECURE_SLICE_H
#define CLSECURE_SLICE_H

#include <sys/types.h>

#include "lib/base/error.h"

#define SLICE_DIR "/etc/systemd/system"
#define SLICE_FOLDER "user-%u.slice.d" /* in SLICE_DIR; %u: the uid */
#define SLICE_FILE "50-clsecure.conf"
#define SLICE_TEXT \
	"# This login's sandbox has no systemd --user " \
	"that would keep the slice between sessions.\n" \
	"[Unit]\nStopWhenUnneeded=no\n" \
	"# Loaded, though they never start: else logind is busy with one who lingers.\n" \
	"Before=user@%j.service user-runtime-dir@%j.service\n"

/* Writes the drop-in; nothing where there is no systemd. */
int slice_keep(uid_t worker, struct error *e);

/* Takes it away, and stops the slice.  0 also where there is none. */
int slice_drop(uid_t worker, struct error *e);

#endif
