#include "config.h"
#include "lib/policy/paths.h"
#include "lib/policy/policy.h"

/* Alone in its file: a test that has a policy_paths() of its own takes this one's place. */
const struct policy_paths *policy_paths(void)
{
	static const struct policy_paths paths = {
		.conf = CLSECURE_CONFDIR "/clsecure.conf",
		.profiles = CLSECURE_CONFDIR "/profiles",
		.projects = PROJECTS_DIR,
		.domains = CLSECURE_CONFDIR "/domains.d",
		.own_domains = CLSECURE_DATADIR "/domains.d",
		.trusted = 0,
	};

	return &paths;
}
