#include "config.h"
#include "lib/policy/domains.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>

#include "lib/policy/layer.h"
#include "lib/policy/paths.h"
#include "lib/policy/store.h"
#include "lib/policy/words.h"

#define NAME_MAX_BYTES 253
#define LABEL_MAX 63
#define SET_NAME_MAX 64

static bool is_set(const char *item)
{
	return item[0] == '@';
}

/* It becomes the name of a file. */
static bool set_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n > 0 && n <= SET_NAME_MAX && name[n] == '\0' && name[0] != '-' && name[0] != '_';
}

static bool number_valid(const char *text, unsigned most)
{
	uint64_t n;

	return parse_count(text, &n) == 0 && n <= most;
}

/* What resolvers take for a way of writing an IPv4 address. */
static bool is_number(const char *label)
{
	if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
		return label[2 + strspn(label + 2, "0123456789abcdefABCDEF")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static bool name_is_valid(char *name)
{
	size_t size = strlen(name);
	const char *label = name, *last = name;

	if (size > 1 && name[size - 1] == '.')
		name[--size] = '\0';
	if (size == 0 || size > NAME_MAX_BYTES)
		return false;
	for (; label; last = label, label = strchr(label, '.') ? strchr(label, '.') + 1 : NULL) {
		size_t n = strspn(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789-_");

		if (n == 0 || n > LABEL_MAX || label[0] == '-' ||
			(label[n] != '\0' && label[n] != '.'))
			return false;
	}
	return !is_number(last);
}

static bool address_valid(char *text, const char *prefix)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	size_t n = strlen(text);

	if (text[0] != '[')
		return inet_pton(AF_INET, text, bytes) == 1 &&
			(!prefix || number_valid(prefix, 32));
	if (text[n - 1] != ']')
		return false;
	text[n - 1] = '\0';
	return inet_pton(AF_INET6, text + 1, bytes) == 1 && (!prefix || number_valid(prefix, 128));
}

bool domain_valid(const char *item)
{
	_cleanup_free_ char *text = strdup(item);
	char *port, *prefix;

	if (!text)
		return false;
	if (is_set(text))
		return set_name_valid(text + 1);
	port = strrchr(text, ':');
	if (port && !strchr(port, ']')) {
		*port++ = '\0';
		if (!streq(port, "*") && (streq(port, "0") || !number_valid(port, 65535)))
			return false;
	}
	prefix = strchr(text, '/');
	if (prefix)
		*prefix++ = '\0';
	if (*text && address_valid(text, prefix))
		return true;
	if (prefix || text[0] == '[')
		return false;
	return streq(text, "*") || name_is_valid(strncmp(text, "*.", 2) == 0 ? text + 2 : text);
}

/* A set says which names it is of, and nothing else. */
static int set_check(const struct layer *l, struct error *e)
{
	const struct value *rules = &l->entries[SETTING_ALLOW_DOMAINS].value;

	for (enum setting s = 0; s < SETTING_COUNT_; s++)
		if (l->entries[s].set && s != SETTING_ALLOW_DOMAINS)
			return error_set(e, -EINVAL, "%s:%u: a set of names cannot say %s=",
				l->file, l->entries[s].line, settings[s].key);
	for (size_t i = 0; i < rules->n; i++)
		if (is_set(rules->list[i]))
			return error_set(e, -EINVAL, "%s: a set cannot name another set ('%s')",
				l->file, rules->list[i]);
	if (rules->n == 0)
		return error_set(e, -EINVAL, "%s: it has no AllowDomains= in [Network]", l->file);
	return 0;
}

static int set_read(const char *dir, const char *name, struct value *ret_rules, struct error *e)
{
	_cleanup_(layer_done) struct layer l = {0};
	_cleanup_free_ char *data = NULL, *path = NULL;
	size_t size = 0;
	int err;

	if (asprintf(&path, "%s/%s.conf", dir, name) < 0) {
		path = NULL;
		return error_errno(e, -ENOMEM, "read the set '@%s'", name);
	}
	err = read_trusted(AT_FDCWD, path, &data, &size, e);
	if (err < 0)
		return err;
	if (layer_init(&l, SOURCE_PROFILE, path) < 0)
		return error_errno(e, -ENOMEM, "read '%s'", path);
	err = layer_parse(&l, data, size, e) ?: set_check(&l, e);
	if (err < 0)
		return file_error(err, e);
	*ret_rules = l.entries[SETTING_ALLOW_DOMAINS].value;
	l.entries[SETTING_ALLOW_DOMAINS].value = (struct value){0};
	return 0;
}

int domain_set_read(const char *name, struct value *ret_rules, struct error *e)
{
	const struct policy_paths *paths = policy_paths();
	int err = set_read(paths->domains, name, ret_rules, e);

	if (err == -ENOENT)
		err = set_read(paths->own_domains, name, ret_rules, e);
	if (err == -ENOENT)
		return error_set(e, -EINVAL, "there is no set '@%s': %s/%s.conf would be it", name,
			paths->domains, name);
	return err;
}

int domains_check(const struct value *items, struct error *e)
{
	for (size_t i = 0; i < items->n; i++) {
		_cleanup_(value_done) struct value rules = {0};
		int err = 0;

		if (is_set(items->list[i]))
			err = domain_set_read(items->list[i] + 1, &rules, e);
		if (err < 0)
			return err;
	}
	return 0;
}

static int write_rules(FILE *f, const char *word, const struct policy *p, enum setting s,
	struct error *e)
{
	size_t n;
	char *const *items = policy_list(p, s, &n);

	for (size_t i = 0; i < n; i++) {
		_cleanup_(value_done) struct value rules = {0};
		int err;

		if (!is_set(items[i])) {
			fprintf(f, "%s %s\n", word, items[i]);
			continue;
		}
		err = domain_set_read(items[i] + 1, &rules, e);
		if (err < 0)
			return err;
		for (size_t r = 0; r < rules.n; r++)
			fprintf(f, "%s %s %s\n", word, rules.list[r], items[i]);
	}
	return 0;
}

int domains_policy(const struct policy *p, char **ret_text, struct error *e)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0, n;
	char *const *ports = policy_list(p, SETTING_ALLOW_HOST_PORTS, &n);
	FILE *f = open_memstream(&text, &size);
	int err;

	if (!f)
		return error_errno(e, -ENOMEM, "put the network's policy together");
	err = write_rules(f, "allow", p, SETTING_ALLOW_DOMAINS, e);
	if (err == 0)
		err = write_rules(f, "deny", p, SETTING_DENY_DOMAINS, e);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "hostport %s\n", ports[i]);
	fprintf(f, "strict %s\nlearn %s\nask %s\n", policy_text(p, SETTING_STRICT_NAMES),
		policy_text(p, SETTING_LEARN), policy_text(p, SETTING_ASK));
	if (fclose(f) != 0 && err == 0)
		err = error_errno(e, -ENOMEM, "put the network's policy together");
	if (err == 0)
		*ret_text = TAKE_PTR(text);
	return err;
}
