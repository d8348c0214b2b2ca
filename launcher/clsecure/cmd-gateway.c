/*
 * clsecure-gateway, the login shell of the user `claude`: ssh claude@HOST [-t] PROJECT [COMMAND].
 *
 * sshd starts it as `clsecure-gateway -c "clsecure-gateway TICKET"`, the forced command that
 * clsecure-keys wrote beside the key.  The first word of what the person typed is the project; the
 * rest is one argument for the worker's shell, as it is.  It holds no privilege: clsecured checks
 * the ticket, and nothing that is said here.
 */
#include "config.h"
#include "launcher/clsecure/gateway.h"

#include <errno.h>

#include "launcher/clsecure/open.h"
#include "launcher/clsecure/rows.h"

#define FORCED "clsecure-gateway "
#define BLANKS " \t\r\n"

static const struct command command_gateway = {
	.name = "gateway",
	.operands = "",
	.summary = "the login shell of 'claude'",
	.flags = COMMAND_OPENS,
};

int gateway_split(const char *typed, char ret_slug[static SLUG_MAX + 1], const char **ret_command)
{
	const char *word = typed + strspn(typed, BLANKS);
	size_t n = strcspn(word, BLANKS);

	if (n == 0)
		return -ENODATA;
	if (n > SLUG_MAX)
		return -EINVAL;
	memcpy(ret_slug, word, n);
	ret_slug[n] = '\0';
	if (!slug_valid(ret_slug))
		return -EINVAL;
	word += n;
	word += strspn(word, BLANKS);
	*ret_command = *word ? word : NULL;
	return 0;
}

/* The first word of SSH_CONNECTION: for the log, decided on by nobody. */
static void client_address(char buf[static 128])
{
	const char *connection = getenv("SSH_CONNECTION");

	snprintf(buf, 128, "%.*s", connection ? (int)strcspn(connection, " ") : 0,
		connection ?: "");
	text_clean(buf);
}

static int list_projects(struct cli *c, const char *ticket)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = request_new(c, "list", &q);

	if (err == 0)
		err = message_add(&q, "ticket", ticket);
	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	if (err < 0)
		return answer_fail(c, &a);
	for (size_t i = 0; i < r.n; i++) {
		char slug[SLUG_MAX + 1];

		snprintf(slug, sizeof(slug), "%s", rows_get(&r, i, "project"));
		text_clean(slug);
		puts(slug);
	}
	if (r.n == 0)
		complain("this key may enter no project");
	else
		remedy("One of these goes behind the host: ssh -t claude@HOST PROJECT");
	return 0;
}

static int open_project(struct cli *c, const char *ticket, const char *slug, const char *command)
{
	char ticket_field[512], host_field[160], address[128];
	const char *extra[] = {ticket_field, host_field, NULL};
	struct project project = {0};
	struct open_request o = {
		.project = &project,
		.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.command = command,
		.extra = extra,
	};

	client_address(address);
	if (snprintf(ticket_field, sizeof(ticket_field), "ticket=%s", ticket) >=
		(int)sizeof(ticket_field)) {
		complain("the ticket of this connection is too long");
		return STATUS_OURS;
	}
	snprintf(host_field, sizeof(host_field), "host=%s", address);
	snprintf(project.slug, sizeof(project.slug), "%s", slug);
	return session_run(c, &o);
}

static int refuse(void)
{
	complain("this user is a gateway: it opens projects for those who come by ssh with a key");
	remedy("ssh -t claude@HOST PROJECT");
	return STATUS_OURS;
}

int gateway_main(int argc, char **argv)
{
	struct cli c = {.command = &command_gateway, .no_pager = true};
	const char *typed = getenv("SSH_ORIGINAL_COMMAND") ?: "", *command = NULL, *ticket;
	char slug[SLUG_MAX + 1];
	int err;

	if (argc != 3 || !streq(argv[1], "-c") || strncmp(argv[2], FORCED, strlen(FORCED)) != 0)
		return refuse();
	ticket = argv[2] + strlen(FORCED);
	err = gateway_split(typed, slug, &command);
	if (err == -ENODATA)
		return list_projects(&c, ticket);
	if (err < 0) {
		complain("'%.40s' is no project's name", typed);
		remedy("ssh claude@HOST (without a project) lists those that this key may enter.");
		return STATUS_OURS;
	}
	return open_project(&c, ticket, slug, command);
}
