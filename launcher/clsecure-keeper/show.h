/* What of the host is shown inside: the project, the home, and the binds of the policy. */
#ifndef CLSECURE_SHOW_H
#define CLSECURE_SHOW_H

#include "launcher/clsecure-keeper/keeper.h"

struct show_item {
	char *source; /* as the person names it; owned */
	char *destination; /* inside; owned */
	bool writable; /* then it has to be a directory, and the person's own */
	bool tool; /* a toolchain: what all may read of it is shown as it is, without mapping */
	bool home; /* of the worker: root's to open */
	int fd; /* opened as the person, or -1 */
	int tree; /* the detached mount, or -1 */
};

struct show {
	struct show_item *items;
	struct plan_tree *trees; /* as plan_make() wants them */
	size_t n;
	char **patterns; /* ProtectPaths, relative to the project; NULL-terminated, owned */
	/* absolute, inside; NULL-terminated or NULL, owned */
	char **pin, **protect, **cover, **hide;
};

/* From the policy, nothing opened yet. */
int show_plan(struct keeper *k, const struct plan_input *in, struct show *ret_show,
	struct error *e);

/*
 * Opens the sources as the person, and looks at them; the descriptors move into the items, the
 * records of look.h stay in the reply.
 */
int show_open(struct show *s, const struct person *p, struct person_reply *r, struct error *e);

/* tools.c: asks as the person, and adds what is to be shown. */
int tools_plan(struct keeper *k, struct show *s, struct error *e);
struct show_item *show_add(struct show *s, const char *source, const char *destination);

/* protect.c: patterns and hidden places of the policy; then what was seen becomes lists. */
int protect_plan(const struct policy *p, struct show *s, struct error *e);
int protect_lists(struct keeper *k, struct show *s, const char *records, size_t size,
	struct error *e);
void strings_free(char **list);
int strings_add(char ***list, char *text); /* takes text; what is there is not added again */

/* sockets.c: those of the system that are to be covered. */
int sockets_of_system(char ***cover, struct error *e);

/* The item's detached mount; what is only read may stand on a file system without idmapping. */
int show_tree(struct show_item *item, int userns, struct error *e);

void show_done(struct show *s);

/* Entries of INSIDE_FILE; *ret_entries owned. */
int inside_entries(const struct keeper *k, char **ret_entries, size_t *ret_size, struct error *e);

#endif
