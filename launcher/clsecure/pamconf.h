/*
 * The host's PAM configuration: the files of /etc/pam.d as lines, the stacks that libpam makes of
 * them, and clsecure's own lines in them.  Pure: no file is opened here.
 *
 * The layout that is understood is Debian's: services include common-session,
 * common-session-noninteractive and common-account.  Our lines stand after the block that
 * pam-auth-update manages: it keeps what is there, and what it adds later still comes before us.
 * A service that opens sessions without these files gets the lines at its own end.
 */
#ifndef CLSECURE_PAMCONF_H
#define CLSECURE_PAMCONF_H

#include "launcher/clsecure/lines.h"
#include "lib/base/error.h"

enum pam_kind {
	PAM_KIND_AUTH,
	PAM_KIND_ACCOUNT,
	PAM_KIND_PASSWORD,
	PAM_KIND_SESSION,
	PAM_KIND_COUNT_
};

struct pam_file {
	char *name; /* owned */
	struct lines lines;
	bool vendor; /* below /usr: read, never changed */
};

struct pam_dir {
	struct pam_file *file; /* owned, sorted by name */
	size_t n;
};
void pam_dir_done(struct pam_dir *d);

/* A file of that name that is there already wins (/etc is added before /usr). */
int pam_dir_add(struct pam_dir *d, const char *name, const char *text, size_t size, bool vendor,
	struct error *e);
const struct pam_file *pam_dir_find(const struct pam_dir *d, const char *name);

/* A file that libpam would take for a service: not common-*, not what dpkg or an editor left. */
bool pam_is_service(const char *name);

struct pam_module {
	const char *file; /* where it stands */
	size_t line; /* from 0 */
	char control[128], module[128], args[256]; /* cut when longer */
};

/*
 * The modules that libpam asks for this service and kind, in order, includes followed; those of
 * `other` when the service has none of the kind (ret_other says so; may be NULL).  Stops when f
 * returns other than 0, which is then the result.  -ENOENT: an included file is missing; -ELOOP.
 */
typedef int (*pam_visit)(const struct pam_module *m, void *arg);
int pam_stack(const struct pam_dir *d, const char *service, enum pam_kind kind, pam_visit f,
	void *arg, bool *ret_other, struct error *e);

/* What of ours a stack has. */
struct pam_cover {
	bool other; /* the stack is that of `other` */
	size_t modules; /* of anybody */
	bool ours; /* pam_clsecure is asked */
	bool changed; /* but not by the lines that setup writes: which they should be is unclear */
	char after[128]; /* a module after us that would act inside the sandbox, "" when none */
};
int pam_cover(const struct pam_dir *d, const char *service, enum pam_kind kind,
	struct pam_cover *ret_cover, struct error *e);

/*
 * Takes all lines of ours out, and with `module` (pam_clsecure.so, or its path) puts in what is
 * wanted. -EOPNOTSUPP: not a layout that is understood; the words say what to do.
 */
int pam_edit(struct pam_dir *d, const char *module, struct error *e);

#endif
