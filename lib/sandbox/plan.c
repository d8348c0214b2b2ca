#include "config.h"
#include "lib/sandbox/plan.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"
#include "lib/policy/words.h"
#include "lib/sandbox/environment.h"
#include "lib/sandbox/files.h"
#include "lib/sandbox/system.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/sysmacros.h>

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

/* Files of the host's /etc that say nothing about its people; copied. */
static const char *const etc_files[] = {
	"ld.so.cache", "ld.so.conf", "localtime", "timezone", "os-release", "debian_version",
	"lsb-release", "redhat-release", "bash.bashrc", "bashrc", "inputrc", "zshenv",
	"environment", "login.defs", "locale.conf", "locale.alias", "mime.types", "magic",
	"protocols", "services", "rpc", "networks", "ethertypes", "gai.conf", "host.conf",
	"papersize", "nanorc", "wgetrc", "screenrc", "tmux.conf", "pip.conf", "npmrc", "motd",
	"issue", "issue.net", "shells", "default/locale", "ssh/ssh_config", "ssh/ssh_known_hosts",
	"ssh/moduli", "ssl/openssl.cnf", "pki/tls/openssl.cnf", "manpath.config", "mailcap",
	"debconf.conf", "adduser.conf",
};

/* Directories likewise; bound. */
static const char *const etc_dirs[] = {
	"alternatives", "ssl/certs", "ca-certificates", "pki/ca-trust", "pki/tls/certs", "terminfo",
	"skel", "profile.d", "bash_completion.d", "fonts", "ld.so.conf.d", "ssh/ssh_config.d",
	"crypto-policies", "perl", "python3", "python3.9", "python3.10", "python3.11", "python3.12",
	"python3.13", "python2.7", "java", "java-8-openjdk", "java-11-openjdk", "java-17-openjdk",
	"java-21-openjdk", "java-25-openjdk", "maven", "gradle", "php", "ruby", "vim", "emacs",
	"dpkg", "debuginfod", "gdb", "security", "pam.d", "xdg", "gss", "openssl", "mono", "R",
	"npm", "zsh", "groff", "selinux/targeted/contexts",
};

static const struct {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{"null", 1, 3},
	{"zero", 1, 5},
	{"full", 1, 7},
	{"random", 1, 8},
	{"urandom", 1, 9},
	{"tty", 5, 0},
};

static const struct {
	const char *destination, *target;
} links[] = {
	{"/dev/ptmx", "pts/ptmx"},
	{"/dev/fd", "/proc/self/fd"},
	{"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"},
	{"/dev/stderr", "/proc/self/fd/2"},
	{"/var/run", "/run"},
	{"/var/lock", "/run/lock"},
	{"/etc/mtab", "../proc/self/mounts"},
};

static const char *const proc_masked[] = {
	"kcore", "keys", "key-users", "timer_list", "sched_debug", "sysrq-trigger", "latency_stats",
	"acpi", "scsi", "kmsg", "kallsyms", "kpagecount", "kpageflags", "kpagecgroup", "interrupts",
	"vmallocinfo", "slabinfo", "modules", "iomem", "ioports", "pagetypeinfo",
};
/* Of pressure, a write starts a thread of the kernel's. */
static const char *const proc_readonly[] = {"sys", "bus", "fs", "irq", "pressure"};

static struct plan_step *add(struct plan *p, enum plan_kind kind, const char *format, ...)
	_printf_(3, 4);

/* Never NULL: an addition that finds no memory is remembered, and lost. */
static struct plan_step *add(struct plan *p, enum plan_kind kind, const char *format, ...)
{
	static struct plan_step lost;
	struct plan_step *s;
	va_list ap;
	int n;

	if (p->n == p->room) {
		size_t room = p->room ? p->room * 2 : 128;
		struct plan_step *steps = reallocarray(p->steps, room, sizeof(*steps));

		if (!steps) {
			p->error = -ENOMEM;
			return &lost;
		}
		p->steps = steps;
		p->room = room;
	}
	s = &p->steps[p->n++];
	*s = (struct plan_step){.kind = kind, .mode = 0755};
	va_start(ap, format);
	n = vasprintf(&s->destination, format, ap);
	va_end(ap);
	if (n < 0) {
		s->destination = NULL;
		p->error = -ENOMEM;
	}
	return s;
}

static void add_source(struct plan *p, enum plan_kind kind, const char *destination,
	const char *source)
{
	struct plan_step *s = add(p, kind, "%s", destination);

	s->source = strdup(source);
	if (!s->source)
		p->error = -ENOMEM;
}

static void add_dir(struct plan *p, const char *destination, mode_t mode)
{
	add(p, PLAN_DIR, "%s", destination)->mode = mode;
}

/* Takes the text. */
static void add_file(struct plan *p, const char *destination, char *content, size_t size,
	mode_t mode)
{
	struct plan_step *s;

	if (!content) {
		p->error = -ENOMEM;
		return;
	}
	s = add(p, PLAN_FILE, "%s", destination);
	if (p->error < 0) {
		free(content);
		return;
	}
	s->source = content;
	s->size = size;
	s->mode = mode;
}

static void add_text(struct plan *p, const char *destination, char *content)
{
	add_file(p, destination, content, content ? strlen(content) : 0, 0644);
}

static struct plan_step *add_tmpfs(struct plan *p, const char *destination, mode_t mode,
	uint64_t size, uint64_t inodes)
{
	struct plan_step *s = add(p, PLAN_TMPFS, "%s", destination);

	s->mode = mode;
	s->size = size;
	s->inodes = inodes;
	return s;
}

static void plan_system(struct plan *p)
{
	for (size_t i = 0; system_dirs[i]; i++)
		add_source(p, PLAN_MIRROR, system_dirs[i], system_dirs[i]);
	/* The worker's login shell is ours, wherever it was installed. */
	if (!system_has(CLSECURE_LIBEXECDIR))
		add_source(p, PLAN_MIRROR, CLSECURE_LIBEXECDIR, CLSECURE_LIBEXECDIR);
}

static void plan_etc(const struct plan_input *in, struct plan *p)
{
	char path[128];

	add_dir(p, "/etc", 0755);
	for (size_t i = 0; i < ELEMENTSOF(etc_files); i++) {
		snprintf(path, sizeof(path), "/etc/%s", etc_files[i]);
		add_source(p, PLAN_COPY, path, path);
	}
	for (size_t i = 0; i < ELEMENTSOF(etc_dirs); i++) {
		snprintf(path, sizeof(path), "/etc/%s", etc_dirs[i]);
		add_source(p, PLAN_MIRROR, path, path);
	}
	add_source(p, PLAN_COPY, HOST_PROFILE, "/etc/profile");
	add_text(p, "/etc/profile", file_profile());
	if (in->resolv_conf)
		add_text(p, "/etc/resolv.conf", strdup(in->resolv_conf));
	add_text(p, "/etc/passwd", file_passwd(in));
	add_text(p, "/etc/group", file_group(in));
	add_text(p, "/etc/hosts", file_hosts(in));
	add_text(p, "/etc/hostname", file_hostname(in));
	add_text(p, "/etc/nsswitch.conf", file_nsswitch(in));
	add_text(p, "/etc/claude-code/managed-settings.json", file_managed_settings(in));
	if (in->gitconfig && in->gitconfig[0])
		add_text(p, "/etc/gitconfig", strdup(in->gitconfig));
}

static void plan_dev(const struct plan_input *in, struct plan *p)
{
	char path[64];

	add_tmpfs(p, "/dev", 0755, 64 * KIB, 64)->flags = PLAN_NOEXEC;
	for (size_t i = 0; i < ELEMENTSOF(devices); i++) {
		snprintf(path, sizeof(path), "/dev/%s", devices[i].name);
		add_source(p, PLAN_DEVICE, path, path);
		if (p->n > 0)
			p->steps[p->n - 1].device = makedev(devices[i].major, devices[i].minor);
	}
	add(p, PLAN_DEVPTS, "/dev/pts");
	add_tmpfs(p, "/dev/shm", 01777, in->tmp_size, in->tmp_inodes);
}

static void plan_proc(struct plan *p)
{
	add(p, PLAN_PROC, "/proc");
	for (size_t i = 0; i < ELEMENTSOF(proc_masked); i++)
		add(p, PLAN_COVER, "/proc/%s", proc_masked[i])->flags = PLAN_OPTIONAL;
	for (size_t i = 0; i < ELEMENTSOF(proc_readonly); i++)
		add(p, PLAN_READONLY, "/proc/%s", proc_readonly[i])->flags = PLAN_OPTIONAL;
}

/* What root's programs of a login write: utmp and the like are the sandbox's own. */
static void plan_variable(const struct plan_input *in, struct plan *p)
{
	struct plan_step *s;
	char path[64];

	add_tmpfs(p, "/tmp", 01777, in->tmp_size, in->tmp_inodes);
	add_dir(p, "/var", 0755);
	add_dir(p, "/var/lib", 0755);
	add_dir(p, "/var/cache", 0755);
	add_tmpfs(p, "/var/tmp", 01777, in->tmp_size, in->tmp_inodes);
	add_source(p, PLAN_MIRROR, "/var/lib/dpkg", "/var/lib/dpkg");
	add_tmpfs(p, "/var/log", 0755, MIB, 64)->flags = PLAN_NOEXEC;
	add_file(p, "/var/log/wtmp", strdup(""), 0, 0644);
	add_file(p, "/var/log/lastlog", strdup(""), 0, 0644);
	add_tmpfs(p, "/run", 0755, MIB, 1024)->flags = PLAN_NOEXEC;
	add_dir(p, "/run/lock", 0755);
	add_file(p, "/run/utmp", strdup(""), 0, 0644);
	add_dir(p, "/run/user", 0755);
	add_dir(p, INSIDE_DIR, 0755);
	if (in->claude)
		add_source(p, PLAN_LINK, INSIDE_BIN "/claude", in->claude);
	snprintf(path, sizeof(path), "/run/user/%u", in->worker);
	s = add_tmpfs(p, path, 0700, 64 * MIB, 4096);
	s->owner = in->worker;
	add_dir(p, "/root", 0700);
}

static int plan_trees(const struct plan_input *in, struct plan *p, struct error *e)
{
	char home[64];

	add_dir(p, "/home", 0755);
	snprintf(home, sizeof(home), "/home/%s", in->worker_name);
	if (in->home_ephemeral)
		add_tmpfs(p, home, 0700, in->tmp_size, in->tmp_inodes)->owner = in->worker;
	for (size_t i = 0; i < in->n_trees; i++) {
		const struct plan_tree *t = &in->trees[i];
		struct plan_step *s;

		if (!plan_destination_valid(t->destination))
			return error_set(e, -EINVAL,
				"'%s' cannot be shown inside: it would stand in the system's "
				"own directories",
				t->destination);
		s = add(p, PLAN_TREE, "%s", t->destination);
		s->tree = (unsigned)i;
		s->flags = t->writable ? 0 : PLAN_RDONLY;
	}
	return 0;
}

static void add_each(struct plan *p, enum plan_kind kind, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		add(p, kind, "%s", paths[i])->flags = PLAN_OPTIONAL;
}

bool plan_destination_valid(const char *path)
{
	static const char *const closed[] = {
		"/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/dev",
		"/proc", "/sys", "/run", "/var", "/root",
	};

	if (path[0] != '/' || path[1] == '\0' || strlen(path) >= 4096)
		return false;
	for (const char *c = path; c; c = strchr(c + 1, '/')) {
		size_t n = strcspn(c + 1, "/");

		/* nothing empty, ".", ".." */
		if (n == 0 || (n == 1 && c[1] == '.') || (n == 2 && c[1] == '.' && c[2] == '.'))
			return false;
	}
	for (size_t i = 0; i < ELEMENTSOF(closed); i++)
		if (path_within(path, closed[i]) || path_within(closed[i], path))
			return false;
	return !streq(path, "/home") && !streq(path, "/tmp") && !streq(path, "/opt");
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->steps[i].destination);
		free(p->steps[i].source);
	}
	free(p->steps);
	*p = (struct plan){0};
}

int plan_make(const struct plan_input *in, struct plan *ret_plan, struct error *e)
{
	_cleanup_(plan_done) struct plan p = {0};
	int err;

	plan_system(&p);
	plan_etc(in, &p);
	plan_dev(in, &p);
	plan_proc(&p);
	plan_variable(in, &p);
	for (size_t i = 0; i < ELEMENTSOF(links); i++)
		add_source(&p, PLAN_LINK, links[i].destination, links[i].target);
	err = plan_trees(in, &p, e);
	if (err < 0)
		return err;
	add_each(&p, PLAN_PIN, in->pin);
	add_each(&p, PLAN_READONLY, in->protect);
	add_each(&p, PLAN_COVER, in->cover);
	add_each(&p, PLAN_COVER, in->hide);
	add(&p, PLAN_SEAL, "/dev");
	add(&p, PLAN_SEAL, "/");
	if (p.error < 0)
		return error_errno(e, p.error, "cannot plan the sandbox");
	*ret_plan = p;
	p = (struct plan){0};
	return 0;
}
