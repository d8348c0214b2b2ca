/* What setup joins on a host, as a plan: PAM, systemd, sshd, nsswitch. */
#ifndef CLSECURE_HOST_H
#define CLSECURE_HOST_H

#include "launcher/clsecure/pamconf.h"
#include "launcher/clsecure/plan.h"

#define SSHD_PROGRAM "/usr/sbin/sshd"
#define SSHD_CONFIG "/etc/ssh/sshd_config"
#define SSHD_DROPIN "/etc/ssh/sshd_config.d/00-clsecure.conf"
#define NSSWITCH "/etc/nsswitch.conf"
#define HOST_TEMPLATES CLSECURE_DATADIR "/setup"

struct host {
	const char *root; /* "" but for tests */
	const char *templates; /* HOST_TEMPLATES but for tests */
	const char *module; /* pam_clsecure.so, or its path */
};

/*
 * What has to change so that everything is joined (`join`), or nothing any more.  Nothing is
 * changed.  What is not understood: -EOPNOTSUPP and words with the remedy.
 */
int host_plan(const struct host *h, bool join, struct plan *ret_plan, struct error *e);

/* Part of it: systemd's drop-ins for the workers that there are. */
int plan_slices(const struct host *h, bool join, struct plan *p, struct error *e);

/* All files that libpam reads below root. */
int host_pam(const char *root, struct pam_dir *ret_dir, struct error *e);

/* How the PAM lines name our module: by its path where libpam would not look for it. */
const char *host_module(void);

/*
 * Does sshd_config include sshd_config.d/ before any Match?  0, or -EOPNOTSUPP with the remedy.
 * Pure.
 */
int sshd_config_check(const char *text, struct error *e);

#endif
