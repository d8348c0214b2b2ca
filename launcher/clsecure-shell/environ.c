/*
 * Three layers, the later over the earlier: what the door may say (terminal, language, ssh) and
 * what PassEnv= lets through; who the worker is; SetEnv=.  So a variable that came from outside
 * never says who somebody is or where programs are found.
 */
#include "config.h"
#include "launcher/clsecure-shell/environ.h"
#include "lib/base/names.h"
#include "lib/sandbox/environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

#define VALUE_MAX (32 * 1024) /* of one variable that comes from outside, bytes */
#define PATH_TAIL "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"

/* As PassEnv's: NAME, or PREFIX*. */
static const char *const of_the_door[] = {
	"TERM", "LANG", "LC_*", "TZ", "COLORTERM",
	"SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_ORIGINAL_COMMAND", "SSH_AUTH_SOCK",
};

const char *environment_get(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/* Length of the name before '=', or 0 when it is no name. */
static size_t name_length(const char *entry)
{
	size_t n = 0;

	if (isdigit((unsigned char)entry[0]))
		return 0;
	while (isalnum((unsigned char)entry[n]) || entry[n] == '_')
		n++;
	return entry[n] == '=' ? n : 0;
}

/* Takes ownership of `entry`, also on failure. */
static int put(struct environment *env, char *entry)
{
	size_t n;

	if (!entry)
		return -ENOMEM;
	n = name_length(entry) + 1;
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], entry, n) == 0) {
			free(env->v[i]);
			env->v[i] = entry;
			return 0;
		}
	if (env->n >= ENVIRON_MAX) {
		free(entry);
		return -E2BIG;
	}
	env->v[env->n++] = entry;
	env->v[env->n] = NULL;
	return 0;
}

static int put_format(struct environment *env, const char *format, ...) _printf_(2, 3);
static int put_format(struct environment *env, const char *format, ...)
{
	char *entry = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&entry, format, ap);
	va_end(ap);
	return put(env, n < 0 ? NULL : entry);
}

static bool wanted(const char *entry, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '*')
		return strncmp(entry, pattern, n - 1) == 0;
	return strncmp(entry, pattern, n) == 0 && entry[n] == '=';
}

static bool passes(const struct inside *in, const char *entry)
{
	for (size_t i = 0; i < ELEMENTSOF(of_the_door); i++)
		if (wanted(entry, of_the_door[i]))
			return true;
	for (const char *s = inside_next(in, NULL); s; s = inside_next(in, s))
		if (s[0] != '@' && !strchr(s, '=') && wanted(entry, s))
			return true;
	return false;
}

static int put_caller(const struct inside *in, char *const *caller, struct environment *env)
{
	for (; caller && *caller; caller++) {
		int err;

		if (name_length(*caller) == 0 || strlen(*caller) > VALUE_MAX ||
			!passes(in, *caller))
			continue;
		err = put(env, strdup(*caller));
		if (err < 0)
			return err;
	}
	return 0;
}

/* "SLUG:N" of this project, else it is nobody's. */
static bool session_valid(const char *project, const char *session)
{
	size_t n = strlen(project), digits;

	if (!session || strncmp(session, project, n) != 0 || session[n] != ':')
		return false;
	digits = strspn(session + n + 1, "0123456789");
	return digits > 0 && digits <= 10 && session[n + 1 + digits] == '\0';
}

static int put_identity(const struct inside *in, uid_t uid, const char *session,
	struct environment *env)
{
	char name[WORKER_NAME_MAX + 1];
	int err;

	worker_name(in->project, name);
	err = put_format(env, "HOME=/home/%s", name)
		?: put_format(env, "USER=%s", name)
		?: put_format(env, "LOGNAME=%s", name)
		?: put_format(env, "SHELL=%s", in->shell)
		?: put_format(env, "PATH=/home/%s/.local/bin:%s", name, PATH_TAIL)
		?: put_format(env, "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)uid)
		?: put_format(env, "CLSECURE_PROJECT=%s", in->project);
	if (err == 0 && session_valid(in->project, session))
		err = put_format(env, SESSION_VARIABLE "=%s", session);
	return err;
}

int environment_build(const struct inside *in, uid_t uid, char *const *caller,
	struct environment *ret_environment)
{
	struct environment env = {.n = 0};
	int err = put_caller(in, caller, &env);

	if (err == 0)
		err = put_identity(in, uid, environment_get(caller, SESSION_VARIABLE), &env);
	for (const char *s = inside_next(in, NULL); s && err == 0; s = inside_next(in, s))
		if (name_length(s) > 0)
			err = put(&env, strdup(s));
	if (err < 0) {
		environment_done(&env);
		return err;
	}
	*ret_environment = env;
	return 0;
}

void environment_done(struct environment *env)
{
	for (size_t i = 0; i < env->n; i++)
		free(env->v[i]);
	env->n = 0;
	env->v[0] = NULL;
}
