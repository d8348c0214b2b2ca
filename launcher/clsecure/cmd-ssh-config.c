/*
 * Host blocks for ~/.ssh/config, so that `ssh app` and IDEs work without a question: the host's key
 * is in the block, and nothing of the person's agent goes along.
 */
#include "config.h"
#include "launcher/clsecure/ssh-config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "launcher/clsecure/lines.h"
#include "launcher/clsecure/plan.h"
#include "launcher/clsecure/rows.h"
#include "lib/base/names.h"

static const struct option_info options[] = {
	{0, "host", OPTION_VALUE, "HOST", NULL,
		"the name of this host for ssh (default: localhost)"},
	{0, "port", OPTION_VALUE, "PORT", NULL, "the port of its sshd"},
	{0},
};

/* The best first. */
static const char *const key_files[] = {
	"/etc/ssh/ssh_host_ed25519_key.pub",
	"/etc/ssh/ssh_host_ecdsa_key.pub",
	"/etc/ssh/ssh_host_rsa_key.pub",
};

int ssh_config_key(const char *text, char ret_type[static 64],
	char ret_key[static SSH_CONFIG_KEY_MAX])
{
	size_t n = strcspn(text, " \t\n"), k;
	const char *key = text + n + strspn(text + n, " \t");

	k = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
	if (n == 0 || n >= 64 || k == 0 || k >= SSH_CONFIG_KEY_MAX || !strchr(" \t\n", key[k]) ||
		strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != n)
		return -EBADMSG;
	snprintf(ret_type, 64, "%.*s", (int)n, text);
	snprintf(ret_key, SSH_CONFIG_KEY_MAX, "%.*s", (int)k, key);
	return 0;
}

/* What goes into a line of ssh_config must be a word of it. */
bool ssh_config_word(const char *word)
{
	return *word && *word != '-' &&
		!word[strspn(word,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:")];
}

void ssh_config_print(FILE *f, const struct ssh_config *s, const char *slug)
{
	fprintf(f, "Host %s\n\tHostName %s\n\tUser " WORKER_PREFIX "%s\n", slug, s->host, slug);
	if (s->port)
		fprintf(f, "\tPort %s\n", s->port);
	fprintf(f, "\tHostKeyAlias clsecure-%s\n", s->alias);
	/* rsa-sha2-* are signatures of the key type ssh-rsa. */
	fprintf(f, "\tHostKeyAlgorithms %s\n",
		streq(s->type, "ssh-rsa") ? "rsa-sha2-512,rsa-sha2-256" : s->type);
	fprintf(f, "\tKnownHostsCommand /bin/echo \"clsecure-%s %s %s\"\n", s->alias, s->type,
		s->key);
	fprintf(f, "\tStrictHostKeyChecking yes\n\tUpdateHostKeys no\n\tForwardAgent no\n\n");
}

static int find_key(struct ssh_config *s, struct error *e)
{
	for (size_t i = 0; i < ELEMENTSOF(key_files); i++) {
		_cleanup_free_ char *text = NULL;

		if (host_read("", key_files[i], &text, NULL) == 0 && text &&
			ssh_config_key(text, s->type, s->key) == 0)
			return 0;
	}
	return error_set(e, -ENOENT,
		"this host has no key of sshd in /etc/ssh: is openssh-server installed?");
}

static int gather(const struct cli *c, struct ssh_config *s, struct error *e)
{
	s->host = cli_option(c, "host") ?: "localhost";
	s->port = cli_option(c, "port");
	if (gethostname(s->alias, sizeof(s->alias) - 1) < 0 || !ssh_config_word(s->alias))
		snprintf(s->alias, sizeof(s->alias), "host");
	if (!ssh_config_word(s->host))
		return error_set(e, -EINVAL, "--host: '%s' is no host's name", s->host);
	if (s->port &&
		(strspn(s->port, "0123456789") != strlen(s->port) || atoi(s->port) < 1 ||
			atoi(s->port) > 65535))
		return error_set(e, -EINVAL, "--port: '%s' is no port", s->port);
	return find_key(s, e);
}

static int run(struct cli *c, int argc, char **argv)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	struct ssh_config s = {0};
	struct error e = {0};
	bool found = false;

	if (gather(c, &s, &e) < 0)
		return fail(c, &e);
	if (request_new(c, "list", &q) < 0 || ask(c, &q, rows_take, &r, &a) < 0)
		return answer_fail(c, &a);
	for (size_t i = 0; i < r.n; i++) {
		const char *slug = rows_get(&r, i, "project");

		if (!slug_valid(slug) || (argc > 0 && !streq(slug, argv[0])))
			continue;
		ssh_config_print(stdout, &s, slug);
		found = true;
	}
	if (!found && argc > 0) {
		complain("there is no project '%s' that you may enter", argv[0]);
		return STATUS_FAILED;
	}
	return 0;
}

const struct command command_ssh_config = {
	.name = "ssh-config",
	.operands = "[PROJECT]",
	.summary = "Host blocks for ~/.ssh/config",
	.description = "Prints a block for each project that you may enter, or for PROJECT, with\n"
		       "this host's key in it: no question about a fingerprint, no agent\n"
		       "forwarded. Your ~/.ssh/*.pub keys are good from this host, those of\n"
		       "~/.ssh/authorized_keys from everywhere.",
	.examples = "  clsecure ssh-config >>~/.ssh/config\n"
		    "  clsecure ssh-config --host build.example.org app\n",
	.options = options,
	.max = 1,
	.operand = OPERAND_PROJECT,
	.run = run,
};
