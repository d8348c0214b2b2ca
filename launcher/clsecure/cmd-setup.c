/*
 * setup and unsetup.  NSS is last in and first out: names exist only while PAM has the sandbox for
 * them.  setup: registry, PAM, systemd, sshd, nsswitch, the mark that arms NSS.  unsetup: the mark,
 * nsswitch, sshd, systemd, PAM.  A step that fails takes back what was done.
 */
#include "config.h"
#include "launcher/clsecure/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "launcher/clsecure/host.h"
#include "launcher/clsecure/programs.h"
#include "launcher/clsecure/run.h"
#include "launcher/clsecure/sshd.h"
#include "launcher/clsecured/bypath.h"
#include "lib/base/registry.h"

#define HOLD CLSECURE_RUNDIR "/setup.lock"
#define SYSTEMCTL "/usr/bin/systemctl"
#define SYSTEMCTL_WAIT_MS 60000
#define SOCKET_UNIT "clsecured.socket"
#define SERVICE_UNIT "clsecured.service"

static const struct option_info options[] = {
	{'n', "dry-run", OPTION_FLAG, NULL, NULL, "show what would change, change nothing"},
	{0},
};

/*
 * Two of us would each make a plan that the other spoils.  A file that nobody else can open, and
 * lock.
 */
static int hold_host(int *ret_fd, struct error *e)
{
	_cleanup_close_ int fd = -1;

	if (mkdir(CLSECURE_RUNDIR, 0755) < 0 && errno != EEXIST)
		return error_errno(e, -errno, "making '%s'", CLSECURE_RUNDIR);
	fd = open(HOLD, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(e, -errno, "opening '%s'", HOLD);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(e, -EBUSY,
			"another setup is running: wait for it, then run this again");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static bool under_systemd(void)
{
	return access("/run/systemd/system", F_OK) == 0 && access(SYSTEMCTL, X_OK) == 0;
}

static int systemctl(const char *verb, const char *flag, const char *unit, struct error *e)
{
	char *argv[] = {(char *)SYSTEMCTL, (char *)verb, (char *)(flag ?: unit),
		(char *)(flag ? unit : NULL), NULL};
	_cleanup_free_ char *said = NULL;
	int r = run_program(argv, SYSTEMCTL_WAIT_MS, &said);

	if (r == 0)
		return 0;
	if (said)
		said[strcspn(said, "\n")] = '\0';
	return error_set(e, r < 0 ? r : -EIO, "'systemctl %s%s%s' failed: %s", verb,
		unit ? " " : "", unit ?: "", said && *said ? said : "it said nothing");
}

static const struct change *find_change(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->n; i++)
		if (streq(p->change[i].path, path))
			return &p->change[i];
	return NULL;
}

static bool touches(const struct plan *p, enum stage stage)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->change[i].stage == stage)
			return true;
	return false;
}

/* sshd is asked about its new configuration before a file of it is touched. */
static int check_sshd(const struct plan *p, struct error *e)
{
	const struct change *c = find_change(p, SSHD_DROPIN);
	_cleanup_free_ char *config = NULL;
	int err;

	if (!c || !c->new)
		return 0;
	err = host_read("", SSHD_CONFIG, &config, e);
	return err < 0 ? err : sshd_try(config ?: "", c->new, e);
}

static int apply_systemd(struct plan *p, struct error *e)
{
	bool changed = touches(p, STAGE_SYSTEMD);
	int err = plan_apply(p, STAGE_SYSTEMD, e);

	return err == 0 && changed && under_systemd()
		? systemctl("daemon-reload", NULL, NULL, e)
		: err;
}

static int apply_sshd(struct plan *p, struct error *e)
{
	bool changed = touches(p, STAGE_SSHD);
	int err = plan_apply(p, STAGE_SSHD, e);

	if (err < 0 || !changed)
		return err;
	err = sshd_reload(e);
	return err > 0 ? 0 : err;
}

/* The socket.  --without-systemd has no unit: then clsecured is started by hand. */
static int start_socket(struct error *e)
{
	char *argv[] = {(char *)SYSTEMCTL, (char *)"cat", (char *)SOCKET_UNIT, NULL};
	int err;

	if (!under_systemd() || run_program(argv, SYSTEMCTL_WAIT_MS, NULL) != 0)
		return 1;
	err = systemctl("enable", "--now", SOCKET_UNIT, e);
	return err < 0 ? err : 0;
}

static int stop_socket(struct error *e)
{
	char *argv[] = {(char *)SYSTEMCTL, (char *)"cat", (char *)SOCKET_UNIT, NULL};
	int err;

	if (!under_systemd() || run_program(argv, SYSTEMCTL_WAIT_MS, NULL) != 0)
		return 0;
	err = systemctl("disable", "--now", SOCKET_UNIT, e);
	return err < 0 ? err : systemctl("stop", NULL, SERVICE_UNIT, e);
}

static int join(const struct cli *c, struct plan *p, struct error *e)
{
	int err = registry_init(REGISTRY_STATE, e);

	if (err == 0)
		err = bypath_mend(e);
	if (err == 0)
		err = plan_apply(p, STAGE_PAM, e);
	if (err == 0)
		err = apply_systemd(p, e);
	if (err == 0)
		err = apply_sshd(p, e);
	if (err == 0)
		err = plan_apply(p, STAGE_NSS, e);
	if (err == 0)
		err = start_socket(e);
	if (err > 0)
		say(c,
			"clsecured is not started: there is no unit of it here. "
			"Start " CLSECURE_LIBEXECDIR "/clsecured by hand.");
	return err < 0 ? err : registry_arm(REGISTRY_STATE, e);
}

static int part(const struct cli *c, struct plan *p, struct error *e)
{
	int err = access(REGISTRY_STATE, F_OK) == 0 ? registry_disarm(REGISTRY_STATE, e) : 0;

	if (err == 0)
		err = stop_socket(e);
	if (err == 0)
		err = plan_apply(p, STAGE_NSS, e);
	if (err == 0)
		err = apply_sshd(p, e);
	if (err == 0)
		err = apply_systemd(p, e);
	return err < 0 ? err : plan_apply(p, STAGE_PAM, e);
}

/* They have their walls already, and nothing that unsetup takes back is theirs. */
static void show_sessions(const struct cli *c)
{
	_cleanup_(rows_done) struct rows r = {0};
	_cleanup_message_ struct message q = {0};
	struct answer a = {0};
	int err = request_new(c, "sessions", &q);

	if (err == 0)
		err = ask(c, &q, rows_take, &r, &a);
	if (err < 0)
		complain("which sessions are open cannot be told: %s",
			a.error.text[0] ? a.error.text : strerrordesc_np(-err));
	if (r.n == 0)
		return;
	say(c, "These sessions go on until they end; 'clsecure kill' ends them, afterwards too:");
	for (size_t i = 0; i < r.n; i++)
		say(c, "  %s  %s  %s", rows_get(&r, i, "session"), rows_get(&r, i, "door"),
			rows_get(&r, i, "who"));
}

static int show(const struct cli *c, const struct plan *p, bool joining, struct error *e)
{
	int err = c->quiet && !cli_option(c, "dry-run") ? 0 : plan_print(p, stdout);

	if (!joining)
		show_sessions(c);
	return err < 0 ? error_errno(e, err, "the difference") : 0;
}

/* 0: go on; 1: nothing to do, or no; else -errno. */
static int agree(const struct cli *c, const struct plan *p, bool joining, struct error *e)
{
	int r = show(c, p, joining, e);

	if (r < 0)
		return r;
	if (cli_option(c, "dry-run")) {
		say(c, p->n ? "Nothing was changed." : "Nothing would change.");
		return 1;
	}
	if (p->n == 0 && !joining && registry_armed(REGISTRY_STATE) != 1) {
		say(c, "clsecure is not set up here: nothing to take back.");
		return 1;
	}
	if (p->n == 0)
		return 0; /* nothing to be shown; the rest is idempotent */
	r = ask_yes(c,
		joining ? "Change these files?"
			: "Take these lines back? Projects stay, but nobody can enter them.");
	if (r == 0)
		say(c, "Nothing was changed.");
	return r < 0 ? error_set(e, r, "nothing was changed") : !r;
}

/*
 * A setup that was whole in PAM stays armed: its users would lose their names over a socket that
 * does not start.
 */
static void take_back(struct plan *p, bool armed)
{
	if (!armed || touches(p, STAGE_PAM))
		(void)registry_disarm(REGISTRY_STATE, NULL);
	plan_revert(p);
	(void)sshd_reload(NULL);
}

static int carry_out(const struct cli *c, bool joining, struct error *e)
{
	struct host h = {.root = "", .templates = HOST_TEMPLATES, .module = host_module()};
	_cleanup_(plan_done) struct plan p = {0};
	_cleanup_close_ int hold = -1;
	bool armed;
	int r;

	if (geteuid() != 0)
		return error_set(e, -EPERM, "only root can do this: run 'sudo clsecure %s'",
			c->command->name);
	r = hold_host(&hold, e);
	if (r == 0 && joining)
		r = programs_check(e);
	if (r == 0)
		r = host_plan(&h, joining, &p, e);
	if (r == 0)
		r = check_sshd(&p, e);
	if (r == 0)
		r = agree(c, &p, joining, e);
	if (r != 0)
		return r < 0 ? r : 0;
	armed = registry_armed(REGISTRY_STATE) == 1;
	r = joining ? join(c, &p, e) : part(c, &p, e);
	if (r < 0 && joining)
		take_back(&p, armed);
	if (r == 0)
		say(c,
			joining ? "clsecure is set up. 'clsecure doctor' checks it."
				: "clsecure is no longer set up.");
	return r;
}

static int run_setup(struct cli *c, int argc, char **argv)
{
	struct error e = {0};

	return carry_out(c, true, &e) < 0 ? fail(c, &e) : 0;
}

static int run_unsetup(struct cli *c, int argc, char **argv)
{
	struct error e = {0};

	return carry_out(c, false, &e) < 0 ? fail(c, &e) : 0;
}

const struct command command_setup = {
	.name = "setup",
	.operands = "",
	.summary = "join this host's nsswitch, PAM, sshd and systemd",
	.description = "Shows the difference first and asks. Every line that it adds can be\n"
		       "told, and 'clsecure unsetup' takes back these and no others. Run it\n"
		       "again at any time: what is there is not added twice.",
	.examples = "  clsecure setup --dry-run\n"
		    "  clsecure setup --yes\n",
	.options = options,
	.operand = OPERAND_NONE,
	.run = run_setup,
};

const struct command command_unsetup = {
	.name = "unsetup",
	.operands = "",
	.summary = "take back what setup added",
	.description = "Takes back setup's own lines, all of them, and keeps what others changed\n"
		       "meanwhile. Projects and their state stay; until the next setup nobody\n"
		       "can enter them. Sessions that are open are named, and go on.",
	.examples = "  clsecure unsetup --dry-run\n"
		    "  clsecure unsetup --yes\n",
	.options = options,
	.operand = OPERAND_NONE,
	.run = run_unsetup,
};
