#include "config.h"
#include "lib/policy/settings.h"
#include "lib/base/nearest.h"

#include <errno.h>

/* From the tightest to the loosest, where there is an order. */
static const char *const modes[] = {"namespace", "container", "user", NULL};
static const char *const toolchains[] = {"none", "auto", NULL};
static const char *const networks[] = {"none", "filtered", "full", NULL};
static const char *const workspaces[] = {"review", "clone", "worktree", "bind", NULL};
static const char *const homes[] = {"ephemeral", "persistent", NULL};

const struct setting_info settings[SETTING_COUNT_] = {
	[SETTING_PATH] = {"Project", "Path", TYPE_PATH, NULL, "", LOOSER_ANY, WHO_ADMIN, false,
		NULL, "The project's directory; fixed when the project is added."},
	[SETTING_OWNER] = {"Project", "Owner", TYPE_STRING, NULL, "", LOOSER_ANY, WHO_ADMIN, false,
		NULL, "The person whom the project belongs to; fixed when the project is added."},
	[SETTING_ALLOW_USERS] = {"Project", "AllowUsers", TYPE_NAMES, NULL, "", LOOSER_MORE,
		WHO_OWNER, true, NULL, "Users who may enter beside the owner and root."},
	[SETTING_ALLOW_GROUPS] = {"Project", "AllowGroups", TYPE_NAMES, NULL, "", LOOSER_MORE,
		WHO_OWNER, true, NULL, "Groups whose members may enter."},
	[SETTING_PROFILE] = {"Project", "Profile", TYPE_STRING, NULL, "", LOOSER_ANY, WHO_OWNER,
		false, NULL, "The administrator's profile that the project starts from."},
	[SETTING_MODE] = {"Project", "Mode", TYPE_ENUM, modes, "namespace", LOOSER_ANY, WHO_ADMIN,
		false, "container user", "What the sandbox is made of."},
	[SETTING_ROOT_DIRECTORY] = {"Project", "RootDirectory", TYPE_PATH, NULL, "", LOOSER_ANY,
		WHO_ADMIN, false, "*", "A root file system other than the host's."},
	[SETTING_EXPIRE_AFTER] = {"Project", "ExpireAfter", TYPE_TIME, NULL, "infinity",
		LOOSER_HIGHER, WHO_OWNER, true, NULL,
		"Nobody enters once this has passed since the project was added or last changed."},

	[SETTING_COMMAND] = {"Session", "Command", TYPE_STRING, NULL, "", LOOSER_ANY, WHO_OWNER,
		true, NULL,
		"What clsecure runs without a command; empty: Claude Code as the owner has it."},
	[SETTING_SHELL] = {"Session", "Shell", TYPE_PATH, NULL, "/bin/bash", LOOSER_ANY, WHO_OWNER,
		false, NULL, "The shell of the sandbox, an absolute path inside."},
	[SETTING_SET_ENV] = {"Session", "SetEnv", TYPE_ENV, NULL, "", LOOSER_ANY, WHO_OWNER, false,
		NULL, "Variables that every session gets."},
	[SETTING_PASS_ENV] = {"Session", "PassEnv", TYPE_NAMES, NULL,
		"ANTHROPIC_* CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_USE_BEDROCK "
		"CLAUDE_CODE_USE_VERTEX "
		"AWS_PROFILE AWS_REGION",
		LOOSER_MORE, WHO_PROJECT, false, NULL,
		"Variables of the caller that clsecure passes in; a * at the end stands for any "
		"rest."},
	[SETTING_MAX_SESSIONS] = {"Session", "MaxSessions", TYPE_COUNT, NULL, "256", LOOSER_HIGHER,
		WHO_PROJECT, true, NULL, "Sessions at the same time."},
	[SETTING_ALLOW_SERVICES] = {"Session", "AllowServices", TYPE_NAMES, NULL,
		"sshd su su-l runuser runuser-l login sudo sudo-i cron atd clsecure", LOOSER_MORE,
		WHO_ADMIN, true, NULL,
		"PAM services through which the sandbox may be entered."},
	[SETTING_LINGER] = {"Session", "Linger", TYPE_TIME, NULL, "0", LOOSER_HIGHER, WHO_PROJECT,
		true, NULL, "How long the sandbox outlives its last session."},
	[SETTING_TOOLCHAINS] = {"Session", "Toolchains", TYPE_ENUM, toolchains, "auto",
		LOOSER_HIGHER, WHO_PROJECT, false, NULL,
		"Whether the toolchains of the owner's home are shown inside, read-only."},

	[SETTING_NETWORK] = {"Network", "Network", TYPE_ENUM, networks, "none", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL, "What of the network the sandbox reaches."},
	[SETTING_ALLOW_DOMAINS] = {"Network", "AllowDomains", TYPE_DOMAINS, NULL, "@claude",
		LOOSER_MORE, WHO_PROJECT, true, NULL, "Names that a filtered network reaches."},
	[SETTING_DENY_DOMAINS] = {"Network", "DenyDomains", TYPE_DOMAINS, NULL, "", LOOSER_FEWER,
		WHO_PROJECT, true, NULL, "Names that a filtered network never reaches."},
	[SETTING_STRICT_NAMES] = {"Network", "StrictNames", TYPE_BOOL, NULL, "yes", LOOSER_LOWER,
		WHO_PROJECT, true, NULL, "Whether names are compared inside TLS and HTTP too."},
	[SETTING_ALLOW_HOST_PORTS] = {"Network", "AllowHostPorts", TYPE_PORTS, NULL, "",
		LOOSER_MORE, WHO_OWNER, true, NULL,
		"Ports of the host's loopback that the sandbox reaches."},
	[SETTING_FORWARD_PORTS] = {"Network", "ForwardPorts", TYPE_PORTS, NULL, "", LOOSER_MORE,
		WHO_OWNER, true, "*", "Ports of the sandbox that the host's loopback reaches."},
	[SETTING_LEARN] = {"Network", "Learn", TYPE_BOOL, NULL, "no", LOOSER_HIGHER, WHO_OWNER,
		true, NULL, "Whether every name is allowed and noted."},
	[SETTING_ASK] = {"Network", "Ask", TYPE_BOOL, NULL, "no", LOOSER_HIGHER, WHO_OWNER, true,
		NULL, "Whether the person is asked about a new name."},
	[SETTING_NOTIFY] = {"Network", "Notify", TYPE_BOOL, NULL, "no", LOOSER_ANY, WHO_OWNER, true,
		"*", "Whether the person is told of refused names."},

	[SETTING_WORKSPACE] = {"Files", "Workspace", TYPE_ENUM, workspaces, "bind", LOOSER_HIGHER,
		WHO_PROJECT, false, "review clone worktree",
		"What the sandbox sees as the project."},
	[SETTING_BIND] = {"Files", "Bind", TYPE_BINDS, NULL, "", LOOSER_MORE, WHO_PROJECT, false,
		NULL, "More directories of the owner's, writable inside."},
	[SETTING_BIND_READ_ONLY] = {"Files", "BindReadOnly", TYPE_BINDS, NULL, "", LOOSER_MORE,
		WHO_PROJECT, false, NULL, "More files and directories, read-only inside."},
	[SETTING_HIDE] = {"Files", "Hide", TYPE_PATHS, NULL, "", LOOSER_FEWER, WHO_PROJECT, false,
		NULL, "What is covered inside; a relative path is the project's."},
	[SETTING_PROTECT_PATHS] = {"Files", "ProtectPaths", TYPE_PATHS, NULL,
		".git/hooks .claude/settings*.json .mcp.json .vscode .idea .devcontainer .envrc "
		".husky .githooks .zed .helix .cursor/mcp.json .gemini/settings.json .codex",
		LOOSER_FEWER, WHO_PROJECT, false, NULL,
		"What is read-only inside because the owner's own programs would run it."},
	[SETTING_HOME] = {"Files", "Home", TYPE_ENUM, homes, "persistent", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL, "Whether the worker's home outlives the sandbox."},
	[SETTING_TMP_SIZE] = {"Files", "TmpSize", TYPE_SIZE, NULL, "2G", LOOSER_HIGHER, WHO_PROJECT,
		false, NULL, "The size of each private tmpfs."},
	[SETTING_TMP_INODES] = {"Files", "TmpInodes", TYPE_COUNT, NULL, "400000", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL, "The number of files in each private tmpfs."},

	[SETTING_MEMORY_MAX] = {"Limits", "MemoryMax", TYPE_SIZE, NULL, "infinity", LOOSER_HIGHER,
		WHO_PROJECT, true, "*", "Memory of the whole sandbox."},
	[SETTING_TASKS_MAX] = {"Limits", "TasksMax", TYPE_COUNT, NULL, "infinity", LOOSER_HIGHER,
		WHO_PROJECT, true, "*", "Processes and threads of the whole sandbox."},
	[SETTING_CPU_QUOTA] = {"Limits", "CPUQuota", TYPE_COUNT, NULL, "infinity", LOOSER_HIGHER,
		WHO_PROJECT, true, "*", "Time of processors, in percent of one."},
	[SETTING_IO_WEIGHT] = {"Limits", "IOWeight", TYPE_COUNT, NULL, "100", LOOSER_HIGHER,
		WHO_PROJECT, true, "*", "The share of the disks, 1 to 10000."},
	[SETTING_OPEN_FILES] = {"Limits", "OpenFiles", TYPE_COUNT, NULL, "65536", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL, "Open files of one process."},
	[SETTING_FILE_SIZE] = {"Limits", "FileSize", TYPE_SIZE, NULL, "infinity", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL, "The size of a file that is written."},
	[SETTING_CORE_SIZE] = {"Limits", "CoreSize", TYPE_SIZE, NULL, "0", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL,
		"The size of a core dump; none where the host pipes them to a program."},
	[SETTING_HOME_SIZE] = {"Limits", "HomeSize", TYPE_SIZE, NULL, "infinity", LOOSER_HIGHER,
		WHO_PROJECT, true, "*", "The size of the worker's home."},

	[SETTING_ALLOW_NESTING] = {"Syscalls", "AllowNesting", TYPE_BOOL, NULL, "no", LOOSER_HIGHER,
		WHO_ADMIN, false, "*", "Whether namespaces may be made inside."},
	[SETTING_ALLOW_PTRACE] = {"Syscalls", "AllowPtrace", TYPE_BOOL, NULL, "yes", LOOSER_HIGHER,
		WHO_PROJECT, false, NULL, "Whether debuggers and tracers work inside."},
	[SETTING_ALLOW_FOREIGN_ABI] = {"Syscalls", "AllowForeignAbi", TYPE_BOOL, NULL, "no",
		LOOSER_HIGHER, WHO_ADMIN, false, "*",
		"Whether programs of another ABI (i386) run inside."},

	[SETTING_RECORD] = {"Audit", "Record", TYPE_BOOL, NULL, "no", LOOSER_LOWER, WHO_OWNER,
		false, "*", "Whether terminals are recorded."},
	[SETTING_LOG_COMMANDS] = {"Audit", "LogCommands", TYPE_BOOL, NULL, "no", LOOSER_LOWER,
		WHO_OWNER, false, "*", "Whether every program that starts is logged."},
	[SETTING_KEEP_DAYS] = {"Audit", "KeepDays", TYPE_COUNT, NULL, "30", LOOSER_LOWER, WHO_OWNER,
		true, "*", "How many days logs and recordings are kept."},

	[SETTING_ALLOW_ADD] = {"Admin", "AllowAdd", TYPE_BOOL, NULL, "yes", LOOSER_HIGHER,
		WHO_ADMIN, true, NULL, "Whether persons other than root may add projects."},
	[SETTING_MAX_PROJECTS] = {"Admin", "MaxProjects", TYPE_COUNT, NULL, "100", LOOSER_HIGHER,
		WHO_ADMIN, true, NULL, "Projects of one person."},
};

bool setting_built(enum setting s)
{
	return !settings[s].not_built || !streq(settings[s].not_built, "*");
}

/* A whole word of a list with blanks between. */
static bool in_words(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; n && (at = strstr(at, word)); at += n)
		if ((at == list || at[-1] == ' ') && (at[n] == '\0' || at[n] == ' '))
			return true;
	return false;
}

bool choice_built(enum setting s, const char *choice)
{
	return !settings[s].not_built || !in_words(settings[s].not_built, choice);
}

static enum setting nearest(const char *key)
{
	struct nearest n = {.typed = key};
	enum setting found = 0;

	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		nearest_try(&n, settings[s].key);
		if (n.found == settings[s].key)
			found = s;
	}
	return found;
}

bool word_showable(const char *word)
{
	size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-");

	return n > 0 && n <= 24 && word[n] == '\0';
}

int section_check(const char *section, struct error *e)
{
	struct nearest n = {.typed = section};

	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		if (streq(section, settings[s].section))
			return 0;
		nearest_try(&n, settings[s].section);
	}
	if (!word_showable(section))
		return error_set(e, -ENOENT, "there is no such section; the nearest is [%s]",
			n.found);
	return error_set(e, -ENOENT, "there is no section [%s]; the nearest is [%s]", section,
		n.found);
}

int setting_find(const char *section, const char *key, enum setting *ret_setting, struct error *e)
{
	enum setting near;

	if (section && section_check(section, e) < 0)
		return -ENOENT;
	for (enum setting s = 0; s < SETTING_COUNT_; s++) {
		if (!streq(key, settings[s].key))
			continue;
		if (section && !streq(section, settings[s].section))
			return error_set(e, -ENOENT, "%s= belongs to [%s]", key,
				settings[s].section);
		*ret_setting = s;
		return 0;
	}
	near = nearest(key);
	if (!word_showable(key))
		return error_set(e, -ENOENT, "there is no such setting; the nearest is %s= in [%s]",
			settings[near].key, settings[near].section);
	return error_set(e, -ENOENT, "there is no setting '%s'; the nearest is %s= in [%s]", key,
		settings[near].key, settings[near].section);
}
