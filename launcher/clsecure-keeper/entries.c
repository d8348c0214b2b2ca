#include "config.h"
#include "launcher/clsecure-keeper/show.h"
#include "lib/base/macros.h"

#include <errno.h>

static const char *inside_shell(const struct policy *p)
{
	const char *shell = policy_text(p, SETTING_SHELL);

	return shell[0] ? shell : "/bin/bash";
}

static void list_entries(FILE *f, const struct policy *p, enum setting which)
{
	size_t n = 0;
	char *const *list = policy_list(p, which, &n);

	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%c", list[i], '\0');
}

static bool sets_path(const struct policy *p)
{
	size_t n = 0;
	char *const *list = policy_list(p, SETTING_SET_ENV, &n);

	for (size_t i = 0; i < n; i++)
		if (strncmp(list[i], "PATH=", 5) == 0)
			return true;
	return false;
}

int inside_entries(const struct keeper *k, char **ret_entries, size_t *ret_size, struct error *e)
{
	char *entries = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&entries, &size);

	if (!f)
		return error_errno(e, -ENOMEM, "cannot plan the sandbox");
	fprintf(f, "@project=%s%c", k->slug, '\0');
	fprintf(f, "@path=%s%c", policy_path(k->policy), '\0');
	fprintf(f, "@shell=%s%c", inside_shell(k->policy), '\0');
	/* What the person sets stands later, and wins. */
	if (k->path && !sets_path(k->policy))
		fprintf(f, "PATH=%s%c", k->path, '\0');
	for (size_t i = 0; k->variables && k->variables[i]; i++)
		fprintf(f, "%s%c", k->variables[i], '\0');
	list_entries(f, k->policy, SETTING_SET_ENV);
	list_entries(f, k->policy, SETTING_PASS_ENV);
	if (fclose(f) != 0) {
		free(entries);
		return error_errno(e, -ENOMEM, "cannot plan the sandbox");
	}
	*ret_entries = entries;
	*ret_size = size;
	return 0;
}
