#include "config.h"
#include "launcher/clsecure-keeper/keeper.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/sandbox/client.h"
#include "lib/sandbox/pasta.h"
#include "lib/sandbox/spawn.h"
#include "lib/sandbox/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>

#define REPORT_FD 1
#define BUILD_SECONDS 10 /* its caller has given up long before */
#define DEATH_MS 300 /* for the end of PID 1: a stopped login may hold it for ever */

/* Descriptor 0, read once and closed. */
static int overrides_read(struct keeper *k)
{
	char *data = malloc(OVERRIDES_MAX + 1);
	size_t size = 0, n = 0;
	ssize_t r = -1;

	while (data && size <= OVERRIDES_MAX &&
		(r = read(0, data + size, OVERRIDES_MAX + 1 - size)) > 0)
		size += (size_t)r;
	if (!data || r < 0 || size > OVERRIDES_MAX || (size > 0 && data[size - 1] != '\0')) {
		int err = !data ? -ENOMEM : r < 0 ? -errno : -EINVAL;

		free(data);
		return err;
	}
	for (size_t i = 0; i < size; i++)
		n += data[i] == '\0';
	k->overrides = calloc(n + 1, sizeof(*k->overrides));
	if (!k->overrides) {
		free(data);
		return -ENOMEM;
	}
	for (size_t i = 0, at = 0; i < n; i++, at += strlen(data + at) + 1)
		k->overrides[i] = data + at;
	k->overrides_data = data;
	k->overrides_size = size;
	return 0;
}

static void report(int status, const struct error *e)
{
	struct keeper_reply r = {.version = KEEPER_VERSION, .status = status};

	if (status < 0)
		snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1, e->text);
	wire_send(REPORT_FD, &r, sizeof(r), NULL, 0);
}

/* 0 and 1 have done their part; nothing of the caller is held any longer. */
static int let_go(void)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	return 0;
}

static void end(struct keeper *k)
{
	pid_t pid = k->sandbox.pid;
	struct pollfd p = {.fd = -1, .events = POLLIN};

	unclaim(k);
	if (k->sandbox.pidfd >= 0)
		p.fd = fcntl(k->sandbox.pidfd, F_DUPFD_CLOEXEC, 3);
	built_end(&k->sandbox);
	closep(&k->network);
	k->network = -1;
	if (p.fd >= 0) {
		poll(&p, 1, DEATH_MS);
		waitpid(pid, NULL, WNOHANG);
		close(p.fd);
	}
	egress_end(&k->egress);
}

static int run(struct keeper *k)
{
	struct error e = {0};
	const char *why;
	pid_t pid;
	int err = become_independent(&e);

	/* Not earlier: the descriptor of the log would be closed, and its number another's. */
	openlog("clsecure-keeper", LOG_PID, LOG_AUTHPRIV);
	/* One that hangs would keep the lock, and so everybody out. */
	alarm(BUILD_SECONDS);
	if (err == 0) {
		err = overrides_read(k);
		if (err < 0)
			error_errno(&e, err, "settings for '%s'", k->slug);
	}
	if (err == 0)
		err = claim(k, &e);
	if (err == 0) {
		scope_of_keeper(k);
		err = prepare_and_build(k, &e);
		if (err == -EEXIST) /* to the caller it means another keeper, which there is not */
			err = -EIO;
	}
	if (err == 0)
		scope_of_sandbox(k);
	if (err < 0) {
		if (err != -EEXIST)
			syslog(LOG_ERR, "%s: no sandbox: %s", k->slug, e.text);
		end(k);
		report(err, &e);
		scope_of_keeper_end(k);
		return 1;
	}
	alarm(0);
	report(0, NULL);
	syslog(LOG_INFO, "%s: the sandbox stands", k->slug);
	pid = k->sandbox.pid;
	why = let_go() < 0 ? "its caller cannot be let go of" : serve(k);
	syslog(LOG_INFO, "%s: the sandbox ends: %s", k->slug, why);
	end(k);
	scope_of_sandbox_end(k, pid);
	findings_compare(k);
	return 0;
}

int main(int argc, char **argv)
{
	struct keeper k = {.lock = -1,
		.listener = -1,
		.filter = -1,
		.network = -1,
		.egress = EGRESS_INIT,
		.sandbox = BUILT_INIT};
	struct stat st;

	if (argc == 3 && streq(argv[1], "--network") && geteuid() == PASTA_UID)
		pasta_guard(streq(argv[2], "forward"));
	if (argc != 2 || !slug_valid(argv[1]) || geteuid() != 0 || fstat(REPORT_FD, &st) < 0 ||
		!S_ISSOCK(st.st_mode)) {
		fprintf(stderr,
			"clsecure-keeper: it is started by clsecure's PAM module and by "
			"clsecured\n");
		return 2;
	}
	k.slug = argv[1];
	return run(&k);
}
