/*
 * The effective policy of a project: every setting with its value and where it comes from.
 *
 * Layers, the stronger first: this run's overrides; project.conf (what add and set were told); the
 * person's file; the project's file (tightens only); the profile; the admin's clsecure.conf;
 * built-in. The admin's bounds hold over all.  Files that a person or worker can change are read by
 * as_person().
 */
#ifndef CLSECURE_POLICY_H
#define CLSECURE_POLICY_H

#include <stdint.h>

#include "lib/base/person.h"
#include "lib/policy/settings.h"

enum source {
	SOURCE_BUILTIN, SOURCE_ADMIN, SOURCE_PROFILE, SOURCE_PROJECT_FILE, SOURCE_PERSON,
	SOURCE_PROJECT, /* project.conf */
	SOURCE_RUN,
};

#define PROJECTS_DIR CLSECURE_STATEDIR "/projects"

struct policy; /* opaque; one allocation tree, freed by policy_free */

enum policy_flags {
	/*
	 * Only what root alone can write (clsecure.conf, profile, project.conf): no child, no NSS
	 * but the owner's name.  For PAM's checks.
	 */
	POLICY_TRUSTED_ONLY = 1,
};

/*
 * -ENOENT: no such project.  -EKEYREJECTED: the owner's uid and name no longer match NSS.
 * A person's broken file is an error with file, line and the nearest right name.  What a project's
 * file tried to loosen is a warning.  `overrides`: NULL or a NULL-terminated list of KEY=VALUE (as
 * the owner says them).
 */
int policy_load(const char *slug, char *const *overrides, unsigned flags,
	struct policy **ret_policy, struct error *e);
void policy_free(struct policy *p);

/*
 * Reads again what root alone can write, and takes over what is live of it.  What the person's files
 * and the overrides say is not asked again, only merged anew.  After a failure nothing has changed.
 * policy_source() and policy_source_text() go on telling of the first load.
 */
int policy_refresh(struct policy *p, struct error *e);
static inline void policy_freep(struct policy **p)
{
	policy_free(*p);
}

const char *policy_slug(const struct policy *p);
const struct person *policy_owner(const struct policy *p);
const char *policy_path(const struct policy *p); /* the project's directory, absolute */
uint64_t policy_number(const struct policy *p, enum setting s);
const char *policy_choice(const struct policy *p, enum setting s); /* TYPE_ENUM, its word */
const char *policy_text(const struct policy *p,
	enum setting s); /* canonical text of any type; "" if empty */
char *const *policy_list(const struct policy *p, enum setting s, size_t *ret_n);
enum source policy_source(const struct policy *p, enum setting s);
const char *policy_source_text(const struct policy *p,
	enum setting s); /* "/etc/clsecure/clsecure.conf:12" */
char *const *policy_warnings(const struct policy *p); /* NULL-terminated */

/* A bind of TYPE_BINDS, taken apart and made absolute for the owner (~). */
struct bind_spec {
	const char *source, *destination;
};
/* -ENOENT: no such item; -EINVAL: it must not be shown there. */
int policy_bind(const struct policy *p, enum setting s, size_t i, struct bind_spec *ret_bind,
	struct error *e);

/* Is the person the owner, root, or named by AllowUsers/AllowGroups? */
bool policy_may_enter(const struct policy *p, const struct person *who);

/*
 * Seconds since the epoch when the project expires (ExpireAfter counts from its last change of
 * settings or add); UINT64_MAX: never.
 */
uint64_t policy_expires(const struct policy *p);

/*
 * Writing project.conf.  `assignments`: NULL-terminated KEY=VALUE, KEY+=VALUE, KEY-=VALUE, KEY=
 * (reset), checked whole before anything is written; `admin`: may the caller set what is the
 * admin's alone.  Canonical form, temporary file, fsync, rename, fsync of the directory: old or new,
 * never torn.  The person's files and binds are looked at, which takes what time she likes: no lock
 * of other persons' is to be held by the caller of project_prepare and project_change, which waits
 * for writers of this one project.
 *
 * project_prepare fills n->file, which project_new_done frees.  project_create then makes
 * PROJECTS_DIR/slug/ (0700) with project.conf, home/ (worker's, 0700) and log/; -EEXIST.
 * project_change: -EAGAIN when the project is not `owner`'s.  ret_waits: NULL, or says of each
 * setting whether its value changed and waits for the next sandbox.  project_destroy takes it away
 * at once: there is none of this name any more.  projects_sweep removes what it took, wholly, never
 * following a link, never crossing a mount; it may take long, needs no lock, and two at once do no
 * harm.
 */
/* May it be the path of a project, by its form?  -EINVAL. */
int project_path_check(const char *path, struct error *e);

struct project_file;
struct project_new {
	const char *path; /* absolute, real, checked by the caller as the owner */
	const struct person *owner;
	char *const *assignments;
	bool admin;
	struct project_file *file; /* owned: what is to be written, checked whole */
	const char *slug; /* from here on for project_create alone */
	uid_t worker_uid;
};
void project_new_done(struct project_new *n);
int project_prepare(struct project_new *n, struct error *e);
int project_create(const struct project_new *n, struct error *e);
int project_change(const char *slug, uid_t owner, char *const *assignments, bool admin,
	bool ret_waits[SETTING_COUNT_], struct error *e);
int project_destroy(const char *slug, struct error *e);
int projects_sweep(struct error *e);
int project_empty_home(const char *slug, uid_t worker_uid, struct error *e);

/* The admin's two, read from clsecure.conf alone. */
int admin_setting(enum setting s, uint64_t *ret_number, char **ret_text, struct error *e);

#endif
