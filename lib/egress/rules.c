/* The text of a policy. */
#include "config.h"
#include "lib/egress/decide.h"

#include <errno.h>

/* Takes ":PORT" from the end of the rule's text. */
static int take_port(struct egress_rule *r, char *text, struct error *e)
{
	char *colon = strrchr(text, ':');

	r->usual_ports = !r->deny;
	if (!colon || strchr(colon, ']'))
		return 0;
	*colon = '\0';
	if (strchr(text, ':') && text[0] != '[')
		return error_set(e, -EINVAL, "an IPv6 address is written in brackets, as [::1]:80");
	r->usual_ports = false;
	if (streq(colon + 1, "*"))
		return 0;
	if (egress_port_parse(colon + 1, strlen(colon + 1), &r->port) < 0)
		return error_set(e, -EINVAL, "'%s' is no port: 1 to 65535, or *", colon + 1);
	return 0;
}

/* Takes "/PREFIX". */
static int take_prefix(char *text, bool *ret_network, unsigned *ret_prefix, struct error *e)
{
	char *slash = strchr(text, '/');
	uint16_t prefix = 0;

	*ret_network = slash != NULL;
	if (!slash)
		return 0;
	*slash = '\0';
	if (!streq(slash + 1, "0") &&
		(egress_port_parse(slash + 1, strlen(slash + 1), &prefix) < 0 || prefix > 128))
		return error_set(e, -EINVAL, "'/%s' is no size of a network", slash + 1);
	*ret_prefix = prefix;
	return 0;
}

static int set_address(struct egress_rule *r, const struct egress_address *a, bool network,
	unsigned prefix, struct error *e)
{
	unsigned bits = a->family == AF_INET ? 32 : 128;

	if (network && prefix > bits)
		return error_set(e, -EINVAL, "'/%u' is no size of a network", prefix);
	r->kind = EGRESS_RULE_ADDRESS;
	r->address = *a;
	r->prefix = (uint8_t)(network ? prefix : bits);
	return 0;
}

static int rule_parse(const char *written, struct egress_rule *r, struct error *e)
{
	_cleanup_free_ char *text = strdup(written);
	struct egress_name name;
	bool network = false;
	unsigned prefix = 0;
	char *start = text;
	int err;

	if (!text)
		return -ENOMEM;
	err = take_port(r, text, e) ?: take_prefix(text, &network, &prefix, e);
	if (err < 0)
		return err;
	if (streq(text, "*") && !network) {
		r->kind = EGRESS_RULE_ANY;
		return 0;
	}
	r->kind = EGRESS_RULE_NAME;
	if (strncmp(text, "*.", 2) == 0) {
		r->kind = EGRESS_RULE_BELOW;
		start = text + 2;
	}
	err = egress_name_parse(start, strlen(start), &name, e);
	if (err < 0)
		return err;
	if (name.address.family != 0 && r->kind == EGRESS_RULE_NAME)
		return set_address(r, &name.address, network, prefix, e);
	if (name.address.family != 0 || network)
		return error_set(e, -EINVAL, "'%s' mixes a name and an address", written);
	r->name = strdup(name.text);
	return r->name ? 0 : -ENOMEM;
}

static void rule_done(struct egress_rule *r)
{
	free(r->name);
	free(r->text);
}

int egress_rule_check(const char *text, struct error *e)
{
	_cleanup_(rule_done) struct egress_rule r = {0};

	return rule_parse(text, &r, e);
}

static int add_rule(struct egress_policy *p, bool deny, char *line, struct error *e)
{
	_cleanup_(rule_done) struct egress_rule r = {.deny = deny};
	struct egress_rule *more;
	char *label = strchr(line, ' ');
	int err;

	if (label)
		*label++ = '\0';
	err = rule_parse(line, &r, e);
	if (err < 0)
		return err;
	if (p->n_rules >= EGRESS_RULES_MAX)
		return error_set(e, -EINVAL, "more than %d rules", EGRESS_RULES_MAX);
	if (asprintf(&r.text, label ? "%s (%s)" : "%s", line, label) < 0) {
		r.text = NULL;
		return -ENOMEM;
	}
	text_clean(r.text);
	more = reallocarray(p->rules, p->n_rules + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->rules = more;
	p->rules[p->n_rules++] = r;
	r = (struct egress_rule){0};
	return 0;
}

static int add_host_port(struct egress_policy *p, const char *text, struct error *e)
{
	uint16_t *more, port;

	if (egress_port_parse(text, strlen(text), &port) < 0)
		return error_set(e, -EINVAL, "'%s' is no port: 1 to 65535", text);
	if (egress_host_port(p, port))
		return 0;
	more = reallocarray(p->host_ports, p->n_host_ports + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->host_ports = more;
	p->host_ports[p->n_host_ports++] = port;
	return 0;
}

static int set_flag(bool *ret, const char *text, struct error *e)
{
	if (!streq(text, "yes") && !streq(text, "no"))
		return error_set(e, -EINVAL, "'%s' is neither yes nor no", text);
	*ret = streq(text, "yes");
	return 0;
}

static int take_line(struct egress_policy *p, char *line, struct error *e)
{
	char *rest = strchr(line, ' ');

	if (!rest)
		return error_set(e, -EINVAL, "'%s' has no value", line);
	*rest++ = '\0';
	if (streq(line, "allow") || streq(line, "deny"))
		return add_rule(p, line[0] == 'd', rest, e);
	if (streq(line, "hostport"))
		return add_host_port(p, rest, e);
	if (streq(line, "strict"))
		return set_flag(&p->strict, rest, e);
	if (streq(line, "learn"))
		return set_flag(&p->learn, rest, e);
	if (streq(line, "ask"))
		return set_flag(&p->ask, rest, e);
	return error_set(e, -EINVAL, "'%s' is unknown", line);
}

void egress_policy_done(struct egress_policy *p)
{
	for (size_t i = 0; i < p->n_rules; i++)
		rule_done(&p->rules[i]);
	free(p->rules);
	free(p->host_ports);
	*p = (struct egress_policy){0};
}

int egress_policy_parse(const char *text, size_t size, struct egress_policy *ret, struct error *e)
{
	_cleanup_(egress_policy_done) struct egress_policy p = {.strict = true};
	_cleanup_free_ char *copy = strndup(text, size);
	char *save = NULL;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != size)
		return error_set(e, -EINVAL, "the policy has a NUL");
	for (char *line = strtok_r(copy, "\n", &save); line && err == 0;
		line = strtok_r(NULL, "\n", &save))
		err = take_line(&p, line, e);
	if (err == -ENOMEM)
		error_set(e, err, "out of memory");
	if (err < 0)
		return err;
	*ret = p;
	p = (struct egress_policy){0};
	return 0;
}
