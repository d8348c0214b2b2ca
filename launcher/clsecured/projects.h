/* Which project a request means, and may who asks do that? */
#ifndef CLSECURE_PROJECTS_H
#define CLSECURE_PROJECTS_H

#include "launcher/clsecured/serve.h"
#include "lib/base/registry.h"
#include "lib/sandbox/client.h"

#define _cleanup_policy_ _cleanup_(policy_freep)

/* Slugs of all projects that have a user, sorted; owned, NULL-terminated. */
int projects_list(char ***ret_slugs, struct error *e);
void strv_free(char **list);
static inline void strv_freep(char ***list)
{
	strv_free(*list);
}

enum project_right {
	RIGHT_ENTER, /* owner, AllowUsers, AllowGroups, root */
	RIGHT_CHANGE, /* owner, root */
};

/*
 * The slug in the request: "project", or the nearest project at or above "path".  -ENOENT.  For a
 * path only those that `who` may enter are seen.
 */
int project_named(struct request *r, char ret_slug[static SLUG_MAX + 1], struct error *e);

/* Sets r->remedy for a path that is in no project: add, or why add refuses it (op-add.c). */
void add_hint(struct request *r, const char *path);

/* That it has a user; else -ENOENT with the remedy.  ret_worker may be NULL. */
int project_registered(struct request *r, const char *slug, uid_t *ret_worker, struct error *e);

/* Loads it, for a right.  flags as policy_load().  -EACCES. */
int project_for(struct request *r, const char *slug, enum project_right right,
	char *const *overrides, unsigned flags, struct policy **ret_policy, struct error *e);

/* The sessions of a project, none when its sandbox does not run; *ret_list is owned. */
int project_sessions(const char *slug, struct keeper_reply **ret_list, size_t *ret_n,
	struct error *e);

/* Is there a sandbox of it, with sessions or lingering? */
bool project_runs(const char *slug);

/*
 * Ends one session (-ESRCH when there is none of that number), or all (0) with the sandbox: 0 also
 * when there was none.  worker: of the project that is meant (-ESTALE when its name is another's
 * now), or 0 while the registry is locked.
 */
int project_kill(const char *slug, uid_t worker, uint32_t session, struct error *e);

#endif
