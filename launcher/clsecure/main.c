/*
 * clsecure(1): the command line.  It holds no privilege: clsecured checks everything that it says.
 */
#include "config.h"
#include "launcher/clsecure/gateway.h"
#include "launcher/clsecure/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>

/* There no command has anything to ask, and each would fail with a hint that leads nowhere. */
static bool inside(const struct cli *c)
{
	uid_t uid = geteuid();

	if (uid < CLSECURE_UID_FIRST || uid > CLSECURE_UID_LAST || c->command == &command_help ||
		c->command == &command_complete)
		return false;
	complain("this is inside the sandbox of a project: clsecure works outside, on the host");
	return true;
}

static int run_command(struct cli *c)
{
	if (c->help) {
		help_print(c->command, stdout);
		return 0;
	}
	if (c->version) {
		puts("clsecure " PACKAGE_VERSION);
		return 0;
	}
	if (inside(c))
		return c->command->flags & COMMAND_OPENS ? STATUS_OURS : STATUS_FAILED;
	return c->command->run(c, c->n_operands, (char **)c->operands);
}

/* A descriptor of ours, the connection to clsecured, must not become somebody's 0, 1 or 2. */
static int fill_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd < 0 ? -errno : close(fd);
}

int main(int argc, char **argv)
{
	struct cli c;
	int status;

	if (fill_streams() < 0)
		return STATUS_OURS;
	setlocale(LC_ALL, "");
	if (streq(program_invocation_short_name, GATEWAY_PROGRAM))
		return gateway_main(argc, argv);
	status = cli_parse(&c, argc, argv);
	if (status == 0)
		status = run_command(&c);
	if (fflush(stdout) != 0 && status == 0) {
		complain("writing the output: %m");
		status = c.command->flags & COMMAND_OPENS ? STATUS_OURS : STATUS_FAILED;
	}
	cli_done(&c);
	return status;
}
