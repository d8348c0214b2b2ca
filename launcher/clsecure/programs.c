#include "config.h"
#include "launcher/clsecure/programs.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

static const char *const programs[] = {
	CLSECURE_SECUREDIR "/pam_clsecure.so",
	CLSECURE_NSSDIR "/libnss_clsecure.so.2",
	CLSECURE_LIBEXECDIR "/clsecure-keeper",
	CLSECURE_LIBEXECDIR "/clsecure-shell",
	CLSECURE_LIBEXECDIR "/clsecure-relay",
	CLSECURE_LIBEXECDIR "/clsecure-keys",
	CLSECURE_LIBEXECDIR "/clsecured",
	CLSECURE_LIBEXECDIR "/clsecure-gateway",
	CLSECURE_LIBEXECDIR "/clsecure-egress",
};

/* Each folder on the way, as sshd wants it for AuthorizedKeysCommand. */
static int check_way(const char *path, struct error *e)
{
	char part[PATH_MAX];
	struct stat st;

	snprintf(part, sizeof(part), "%s", path);
	for (;;) {
		if (stat(*part ? part : "/", &st) < 0)
			return error_set(e, -errno,
				"'%s' is missing: clsecure is not installed whole ('make install')",
				part);
		if (st.st_uid != 0 || (st.st_mode & 022))
			return error_set(e, -EPERM,
				"'%s' can be changed by others than root: 'chown root:root' and "
				"'chmod go-w' it",
				*part ? part : "/");
		if (!*part)
			return 0;
		*strrchr(part, '/') = '\0';
	}
}

int programs_check(struct error *e)
{
	int err = 0;

	for (size_t i = 0; i < ELEMENTSOF(programs) && err == 0; i++)
		err = check_way(programs[i], e);
	return err;
}
