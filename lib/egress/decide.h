/*
 * The policy of one sandbox's network, and the decision: pure, without I/O.
 *
 * A rule, in allow and in deny lines:
 *	example.com		that name: at ports 80 and 443 if it allows, at all if it denies
 *	example.com:22		at that port
 *	example.com:*		at every port
 *	*.example.com		every name below it, not itself
 *	*			every name
 *	203.0.113.7, [2001:db8::7]:22, 203.0.113.0/24	an address, or those of a network
 * Deny wins.  A name's addresses are decided about too: a rule of an address can deny what a name
 * allows, and it alone opens an address that is forbidden else.
 */
#ifndef CLSECURE_EGRESS_DECIDE_H
#define CLSECURE_EGRESS_DECIDE_H

#include "lib/egress/control.h"
#include "lib/egress/name.h"

#define EGRESS_RULES_MAX 4096

enum egress_rule_kind { EGRESS_RULE_NAME, EGRESS_RULE_BELOW, EGRESS_RULE_ANY, EGRESS_RULE_ADDRESS };

struct egress_rule {
	bool deny;
	uint8_t kind;
	uint8_t prefix; /* of an address: how many of its bits count */
	bool usual_ports; /* 80 and 443 */
	uint16_t port; /* 0: all */
	struct egress_address address;
	char *name; /* canonical; of *.example.com, example.com */
	char *text; /* as it was written, and its label */
};

struct egress_policy {
	struct egress_rule *rules;
	size_t n_rules;
	uint16_t *host_ports;
	size_t n_host_ports;
	bool strict, learn, ask;
};

struct egress_decision {
	/* EGRESS_ALLOWED, _LEARNED, _WAITING, _NOT_LISTED, _PORT, _DENIED, _RAW, _FORBIDDEN */
	enum egress_reason reason;
	const char *rule; /* the text of the rule that decided, or ""; as long as the policy lives */
};

/* The text of EGRESS_POLICY (control.h).  -EINVAL with the line and the reason; -ENOMEM. */
int egress_policy_parse(const char *text, size_t size, struct egress_policy *ret, struct error *e);
void egress_policy_done(struct egress_policy *p);

/* One rule alone, for whoever takes one from a person.  -EINVAL with the reason */
int egress_rule_check(const char *text, struct error *e);

/*
 * A name, or an address that was asked for as itself, at a port; 0: at any.
 */
struct egress_decision egress_decide(const struct egress_policy *p, const struct egress_name *name,
	uint16_t port);

/*
 * An address to which an allowed name led; forbidden: it is one of those that no name may lead to.
 */
struct egress_decision egress_decide_address(const struct egress_policy *p,
	const struct egress_address *a, uint16_t port, bool forbidden);

bool egress_host_port(const struct egress_policy *p, uint16_t port);

#endif
