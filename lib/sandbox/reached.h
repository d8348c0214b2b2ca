/*
 * What a sandbox reached and was refused: the records of clsecure-egress, of one after the other,
 * and of the sandboxes before; kept in PROJECTS_DIR/SLUG/log/network when a sandbox ends.
 */
#ifndef CLSECURE_REACHED_H
#define CLSECURE_REACHED_H

#include "lib/egress/control.h"

#define REACHED_MAX 1024 /* records; the one that changed longest ago goes first */

struct reached_entry {
	struct egress_record r; /* .change counts here, not in clsecure-egress */
	/* of processes before this one */
	uint64_t sent, received;
	uint32_t count;
};

struct reached {
	struct reached_entry *entries;
	size_t n;
	uint64_t change; /* of the last one */
};

/* One record of the process that runs now.  Without memory it is lost. */
void reached_take(struct reached *all, const struct egress_record *r);

/* The process has ended: what comes next counts from zero. */
void reached_fold(struct reached *all);

/* Those that changed after `from`, in the order of change; *ret_records owned. */
int reached_since(const struct reached *all, uint64_t from, struct egress_record **ret_records,
	size_t *ret_n);

/* The same in a sealed memfd. */
int reached_file(const struct reached *all, uint64_t from, int *ret_fd);

/* None there: nothing is read. */
void reached_load(const char *slug, struct reached *all);
void reached_save(const char *slug, const struct reached *all);
void reached_done(struct reached *all);

#endif
