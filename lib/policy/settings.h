/*
 * The one table of settings.  clsecure.conf(5), `info`, completion, error texts and the checks of
 * every layer come from it; nothing else knows a setting's name.
 */
#ifndef CLSECURE_SETTINGS_H
#define CLSECURE_SETTINGS_H

#include "lib/base/error.h"

enum setting {
	/* [Project] */
	SETTING_PATH,
	SETTING_OWNER,
	SETTING_ALLOW_USERS,
	SETTING_ALLOW_GROUPS,
	SETTING_PROFILE,
	SETTING_MODE,
	SETTING_ROOT_DIRECTORY,
	SETTING_EXPIRE_AFTER,
	/* [Session] */
	SETTING_COMMAND,
	SETTING_SHELL,
	SETTING_SET_ENV,
	SETTING_PASS_ENV,
	SETTING_MAX_SESSIONS,
	SETTING_ALLOW_SERVICES,
	SETTING_LINGER,
	SETTING_TOOLCHAINS,
	/* [Network] */
	SETTING_NETWORK,
	SETTING_ALLOW_DOMAINS,
	SETTING_DENY_DOMAINS,
	SETTING_STRICT_NAMES,
	SETTING_ALLOW_HOST_PORTS,
	SETTING_FORWARD_PORTS,
	SETTING_LEARN,
	SETTING_ASK,
	SETTING_NOTIFY,
	/* [Files] */
	SETTING_WORKSPACE,
	SETTING_BIND,
	SETTING_BIND_READ_ONLY,
	SETTING_HIDE,
	SETTING_PROTECT_PATHS,
	SETTING_HOME,
	SETTING_TMP_SIZE,
	SETTING_TMP_INODES,
	/* [Limits] */
	SETTING_MEMORY_MAX,
	SETTING_TASKS_MAX,
	SETTING_CPU_QUOTA,
	SETTING_IO_WEIGHT,
	SETTING_OPEN_FILES,
	SETTING_FILE_SIZE,
	SETTING_CORE_SIZE,
	SETTING_HOME_SIZE,
	/* [Syscalls] */
	SETTING_ALLOW_NESTING,
	SETTING_ALLOW_PTRACE,
	SETTING_ALLOW_FOREIGN_ABI,
	/* [Audit] */
	SETTING_RECORD,
	SETTING_LOG_COMMANDS,
	SETTING_KEEP_DAYS,
	/* of the admin's clsecure.conf only, [Admin] */
	SETTING_ALLOW_ADD,
	SETTING_MAX_PROJECTS,
	SETTING_COUNT_
};

enum setting_type {
	TYPE_STRING,
	TYPE_BOOL, /* number 0 or 1 */
	TYPE_ENUM, /* number: index into choices */
	TYPE_COUNT, /* number */
	TYPE_SIZE, /* number: bytes; K M G T; "infinity" = UINT64_MAX */
	TYPE_TIME, /* number: seconds; s min h d w; "infinity" = UINT64_MAX */
	TYPE_PATH, /* absolute, or ~/… of the owner */
	TYPE_NAMES, /* list of words, blanks between */
	TYPE_PATHS, /* list; blanks between, quotes as in systemd.syntax(7) */
	TYPE_BINDS, /* list of SOURCE[:DESTINATION] */
	TYPE_ENV, /* list of NAME=VALUE, quotes as above */
	TYPE_DOMAINS,
	TYPE_PORTS,
};

enum setting_who {
	WHO_ADMIN,
	WHO_OWNER,
	WHO_PROJECT /* may tighten it in PROJECT/.clsecure/config */
};

enum looser {
	LOOSER_ANY, /* every change loosens: a project's file never may */
	LOOSER_HIGHER, /* numbers, booleans; enums: a higher index is looser */
	LOOSER_LOWER,
	LOOSER_MORE, /* lists: adding loosens */
	LOOSER_FEWER, /* lists: removing loosens */
};

struct setting_info {
	const char *section, *key;
	enum setting_type type;
	const char *const *choices; /* TYPE_ENUM: NULL-terminated */
	const char *builtin; /* default, as text */
	enum looser looser;
	enum setting_who who;
	bool live; /* counts at once, in a sandbox that runs too; else from the next on */
	/*
	 * NULL; "*": the whole setting; else the choices that are refused with "not in this
	 * version", blanks between
	 */
	const char *not_built;
	const char *help; /* one line */
};

extern const struct setting_info settings[SETTING_COUNT_];

/*
 * A word that was typed is shown when it could be a name; it might be a line of somebody's secret.
 */
bool word_showable(const char *word);

/* Is the setting in this version at all?  Else it is refused by name, and shown nowhere. */
bool setting_built(enum setting s);
/* Likewise of one of its choices, or any other text. */
bool choice_built(enum setting s, const char *choice);

/* 0 when there is such a section; -ENOENT with the nearest right name in the words. */
int section_check(const char *section, struct error *e);

/* By exact key; -ENOENT with the nearest right name in the words.  section NULL: any. */
int setting_find(const char *section, const char *key, enum setting *ret_setting, struct error *e);

#endif
