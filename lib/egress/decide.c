#include "config.h"
#include "lib/egress/decide.h"

static bool port_fits(const struct egress_rule *r, uint16_t port)
{
	if (port == 0) /* at any: what denies one port leaves others */
		return !r->deny || (r->port == 0 && !r->usual_ports);
	if (r->usual_ports)
		return port == 80 || port == 443;
	return r->port == 0 || r->port == port;
}

static bool below(const char *name, const char *top)
{
	size_t n = strlen(name), m = strlen(top);

	return n > m + 1 && name[n - m - 1] == '.' && streq(name + n - m, top);
}

static bool in_network(const struct egress_address *a, const struct egress_rule *r)
{
	size_t whole = r->prefix / 8;
	unsigned mask = 0xffU << (8 - r->prefix % 8) & 0xff;

	return a->family == r->address.family && memcmp(a->bytes, r->address.bytes, whole) == 0 &&
		(mask == 0 || (a->bytes[whole] & mask) == (r->address.bytes[whole] & mask));
}

static bool name_fits(const struct egress_rule *r, const struct egress_name *n)
{
	if (n->address.family != 0)
		return r->kind == EGRESS_RULE_ADDRESS && in_network(&n->address, r);
	switch (r->kind) {
	case EGRESS_RULE_NAME:
		return streq(r->name, n->text);
	case EGRESS_RULE_BELOW:
		return below(n->text, r->name);
	default:
		return r->kind == EGRESS_RULE_ANY;
	}
}

/* What the rules say; EGRESS_NOT_LISTED or _PORT, and the rule for other ports, where none fits. */
static struct egress_decision by_rules(const struct egress_policy *p, const struct egress_name *n,
	uint16_t port)
{
	struct egress_decision d = {.reason = EGRESS_NOT_LISTED, .rule = ""};

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct egress_rule *r = &p->rules[i];

		if (!name_fits(r, n))
			continue;
		if (r->deny && port_fits(r, port))
			return (struct egress_decision){EGRESS_DENIED, r->text};
		if (r->deny || d.reason == EGRESS_ALLOWED)
			continue;
		if (port_fits(r, port))
			d = (struct egress_decision){EGRESS_ALLOWED, r->text};
		else
			d = (struct egress_decision){EGRESS_PORT, r->text};
	}
	return d;
}

struct egress_decision egress_decide(const struct egress_policy *p, const struct egress_name *name,
	uint16_t port)
{
	struct egress_decision d = by_rules(p, name, port);

	if (d.reason == EGRESS_ALLOWED || d.reason == EGRESS_DENIED)
		return d;
	if (p->learn)
		return (struct egress_decision){EGRESS_LEARNED, ""};
	if (p->ask)
		return (struct egress_decision){EGRESS_WAITING, ""};
	if (d.reason == EGRESS_NOT_LISTED && name->address.family != 0)
		d.reason = EGRESS_RAW;
	return d;
}

struct egress_decision egress_decide_address(const struct egress_policy *p,
	const struct egress_address *a, uint16_t port, bool forbidden)
{
	struct egress_decision d;
	struct egress_name n;

	egress_address_name(a, &n);
	d = by_rules(p, &n, port);
	if (d.reason == EGRESS_ALLOWED || d.reason == EGRESS_DENIED)
		return d;
	return (struct egress_decision){forbidden ? EGRESS_FORBIDDEN : EGRESS_ALLOWED, ""};
}

bool egress_host_port(const struct egress_policy *p, uint16_t port)
{
	for (size_t i = 0; i < p->n_host_ports; i++)
		if (p->host_ports[i] == port)
			return true;
	return false;
}
