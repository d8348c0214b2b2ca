#include "config.h"
#include "launcher/clsecure/sshd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "launcher/clsecure/host.h"
#include "launcher/clsecure/run.h"
#include "lib/base/names.h"

#define SSHD_WAIT_MS 10000
#define SSHD_RUN "/run/sshd"

static const char keys_program[] = CLSECURE_LIBEXECDIR "/clsecure-keys";

int sshd_effective(const char *output, const char *keyword, char *buf, size_t size)
{
	size_t n = strlen(keyword);

	for (const char *line = output; line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (strncmp(line, keyword, n) != 0 || line[n] != ' ')
			continue;
		snprintf(buf, size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
		return 0;
	}
	return -ENOENT;
}

/* Keyword, value; `gateway`: of the gateway alone. */
static const struct {
	const char *keyword, *value;
	bool gateway;
} wanted[] = {
	{"usepam", "yes", false},
	{"pubkeyauthentication", "yes", false},
	{"passwordauthentication", "no", false},
	{"kbdinteractiveauthentication", "no", false},
	{"authenticationmethods", "publickey", false},
	{"authorizedkeysfile", "none", false},
	{"authorizedkeyscommand", keys_program, false},
	{"authorizedkeyscommanduser", "root", false},
	{"authorizedprincipalsfile", "none", false},
	{"trustedusercakeys", "none", false},
	{"permituserrc", "no", false},
	{"permituserenvironment", "no", false},
	{"permittunnel", "no", false},
	{"chrootdirectory", "none", false},
	{"forcecommand", "none", true},
	{"disableforwarding", "yes", true},
};

int sshd_judge(const char *output, const char *user, struct error *e)
{
	bool gateway = streq(user, GATEWAY_NAME);

	for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
		size_t n = strlen(wanted[i].value);
		char value[512];

		if (wanted[i].gateway && !gateway)
			continue;
		/* A keyword that this sshd does not print is one that it has not got. */
		if (sshd_effective(output, wanted[i].keyword, value, sizeof(value)) < 0)
			continue;
		if (strncmp(value, wanted[i].value, n) != 0 || !strchr(" ", value[n]))
			return error_set(e, -EOPNOTSUPP, "sshd: for '%s' %s is '%s', not '%s'",
				user, wanted[i].keyword, value, wanted[i].value);
	}
	return 0;
}

/* The first line of what sshd said, for the words of an error. */
static const char *first_line(char *output)
{
	output[strcspn(output, "\n")] = '\0';
	return *output ? output : "it said nothing";
}

static int try_config(const char *config, struct error *e)
{
	_cleanup_free_ char *said = NULL;
	char *argv[] = {(char *)SSHD_PROGRAM, (char *)"-t", (char *)"-f", (char *)config, NULL};
	int r = run_program(argv, SSHD_WAIT_MS, &said);

	if (r < 0)
		return error_errno(e, r, "running " SSHD_PROGRAM);
	return r == 0
		? 0
		: error_set(e, -EINVAL, "sshd refuses its configuration: %s", first_line(said));
}

static int try_user(const char *config, const char *user, struct error *e)
{
	_cleanup_free_ char *said = NULL;
	char who[128];
	char *argv[] = {(char *)SSHD_PROGRAM, (char *)"-T", (char *)"-f", (char *)config,
		(char *)"-C", who, NULL};
	int r;

	snprintf(who, sizeof(who), "user=%s,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22",
		user);
	r = run_program(argv, SSHD_WAIT_MS, &said);
	if (r < 0)
		return error_errno(e, r, "running " SSHD_PROGRAM);
	if (r > 0)
		return error_set(e, -EINVAL, "sshd -T for '%s' failed: %s", user, first_line(said));
	return sshd_judge(said, user, e);
}

static int write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t n = strlen(text);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		return -errno ?: -EIO;
	return 0;
}

static int ask_sshd(const char *path, struct error *e)
{
	int err = try_config(path, e);

	if (err == 0)
		err = try_user(path, GATEWAY_NAME, e);
	return err < 0 ? err : try_user(path, WORKER_PREFIX "x", e);
}

/* The copy is in a folder of root's own: /etc/ssh is not touched before sshd agrees. */
static int try_copy(const char *config, const char *dropin, struct error *e)
{
	char folder[] = "/run/clsecure-setup.XXXXXX", path[64], part[64];
	_cleanup_free_ char *text = NULL;
	int err;

	if (!mkdtemp(folder))
		return error_errno(e, -errno, "making a folder in /run");
	snprintf(path, sizeof(path), "%s/config", folder);
	snprintf(part, sizeof(part), "%s/dropin", folder);
	if (asprintf(&text, "Include %s\n%s", part, config) < 0)
		err = error_errno(e, -ENOMEM, "sshd's configuration");
	else {
		err = write_file(path, text);
		if (err == 0)
			err = write_file(part, dropin);
		err = err < 0 ? error_errno(e, err, "writing into '%s'", folder)
			      : ask_sshd(path, e);
	}
	unlink(path);
	unlink(part);
	rmdir(folder);
	return err;
}

int sshd_try(const char *config, const char *dropin, struct error *e)
{
	/* sshd wants its folder even for a test; systemd makes it when the service starts. */
	bool made = mkdir(SSHD_RUN, 0755) == 0;
	int err = dropin ? try_copy(config, dropin, e) : ask_sshd(SSHD_CONFIG, e);

	if (made)
		rmdir(SSHD_RUN);
	return err;
}

static bool unit_active(const char *unit)
{
	char *argv[] = {(char *)"/usr/bin/systemctl", (char *)"is-active", (char *)"--quiet",
		(char *)unit, NULL};

	return run_program(argv, SSHD_WAIT_MS, NULL) == 0;
}

int sshd_reload(struct error *e)
{
	static const char *const units[] = {"ssh.service", "sshd.service"};
	_cleanup_fclose_ FILE *f = NULL;
	long pid;

	for (size_t i = 0; i < ELEMENTSOF(units) && access("/run/systemd/system", F_OK) == 0; i++) {
		char *argv[] = {
			(char *)"/usr/bin/systemctl", (char *)"reload", (char *)units[i], NULL};
		int r;

		if (!unit_active(units[i]))
			continue;
		r = run_program(argv, SSHD_WAIT_MS, NULL);
		return r == 0
			? 0
			: error_set(e, -EIO, "'systemctl reload %s' failed (%d)", units[i], r);
	}
	f = fopen("/run/sshd.pid", "re");
	if (!f || fscanf(f, "%ld", &pid) != 1 || pid < 2 || kill((pid_t)pid, SIGHUP) < 0)
		return 1;
	return 0;
}
