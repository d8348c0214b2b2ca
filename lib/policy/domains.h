/*
 * AllowDomains= and DenyDomains=: the form of their items, the sets that they name, and what
 * clsecure-egress is told of a policy.
 *
 * An item is a rule (lib/egress/decide.h) or @NAME, the rules of a set: the AllowDomains= of
 * CLSECURE_CONFDIR/domains.d/NAME.conf or, where there is none, of clsecure's own in
 * CLSECURE_DATADIR/domains.d.
 */
#ifndef CLSECURE_DOMAINS_H
#define CLSECURE_DOMAINS_H

#include "lib/policy/policy.h"
#include "lib/policy/value.h"

/*
 * By its form.  A name is in ASCII here (A-labels, xn--…): the PAM module, inside sshd, reads this
 * too, and is to load no tables of Unicode for it.
 */
bool domain_valid(const char *item);

/* The rules of a set.  -EINVAL when there is none of that name; what is wrong in it -EBADMSG. */
int domain_set_read(const char *name, struct value *ret_rules, struct error *e);

/* That all sets that these items name can be read. */
int domains_check(const struct value *items, struct error *e);

/*
 * The text of EGRESS_POLICY (lib/egress/control.h), owned.  With one set that cannot be read there
 * is none: part of a policy is no policy.
 */
int domains_policy(const struct policy *p, char **ret_text, struct error *e);

#endif
