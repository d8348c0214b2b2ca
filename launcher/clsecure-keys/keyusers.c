#include "config.h"
#include "launcher/clsecure-keys/keyusers.h"

#include <errno.h>
#include <grp.h>

#include "launcher/clsecure-keys/keyfile.h"
#include "lib/base/registry.h"

#define READ_MS 400 /* one person's files: the home may be on a network */
#define GROUP_BUFFER (64 * 1024)

typedef int (*person_cb)(const struct person *who, void *arg);

struct seen {
	uid_t uid[KEYUSERS_MAX];
	size_t n;
	person_cb f;
	void *arg;
};

static int once(struct seen *s, const struct person *who)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->uid[i] == who->uid)
			return 0;
	if (s->n == KEYUSERS_MAX)
		return 0;
	s->uid[s->n++] = who->uid;
	return s->f(who, s->arg);
}

static int by_name(struct seen *s, const char *name)
{
	struct person who;
	int r;

	if (person_by_name(name, &who, NULL) < 0)
		return 0;
	r = once(s, &who);
	person_done(&who);
	return r;
}

static int by_group(struct seen *s, const char *name)
{
	_cleanup_free_ char *buffer = malloc(GROUP_BUFFER);
	struct group group, *found = NULL;
	int r = 0;

	if (!buffer || getgrnam_r(name, &group, buffer, GROUP_BUFFER, &found) != 0 || !found)
		return 0;
	for (char **member = found->gr_mem; *member && r == 0; member++)
		r = by_name(s, *member);
	return r;
}

int keyusers_of(const struct policy *p, person_cb f, void *arg)
{
	struct seen s = {.f = f, .arg = arg};
	size_t n;
	char *const *names;
	int r = once(&s, policy_owner(p));

	names = policy_list(p, SETTING_ALLOW_USERS, &n);
	for (size_t i = 0; i < n && r == 0; i++)
		r = by_name(&s, names[i]);
	names = policy_list(p, SETTING_ALLOW_GROUPS, &n);
	for (size_t i = 0; i < n && r == 0; i++)
		r = by_group(&s, names[i]);
	return r;
}

struct update {
	struct error *e;
	int err;
};

static int update_person(const struct person *who, void *arg)
{
	struct update *u = arg;
	int err = keyindex_person(KEYINDEX_DIR, who, READ_MS, u->e);

	if (err < 0)
		u->err = err;
	return 0;
}

void keyusers_project(const char *slug)
{
	struct update u = {0};
	struct policy *p = NULL;

	if (policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) == 0)
		(void)keyusers_of(p, update_person, &u);
	policy_free(p);
}

static int update_project(const struct record *record, void *arg)
{
	struct policy *p = NULL;
	const char *slug = worker_slug(record->name);

	if (!slug || policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) < 0)
		return 0;
	(void)keyusers_of(p, update_person, arg);
	policy_free(p);
	return 0;
}

int keyusers_update(struct error *e)
{
	struct update u = {.e = e};
	int err = registry_foreach(REGISTRY_STATE, update_project, &u);

	return err < 0 ? error_errno(e, err, "reading the registry") : u.err;
}

static int have_it(const struct keyline *k, bool local, void *arg)
{
	*(bool *)arg = true;
	return 1;
}

static bool may_enter(const struct person *who, const char *slug)
{
	struct policy *p = NULL;
	bool may;

	if (!slug)
		return true;
	if (policy_load(slug, NULL, POLICY_TRUSTED_ONLY, &p, NULL) < 0)
		return false;
	may = policy_may_enter(p, who);
	policy_free(p);
	return may;
}

int keyusers_with_key(const uint8_t fp[static FINGERPRINT_SIZE], const char *slug,
	struct person *ret_person, struct error *e)
{
	uid_t uids[KEYINDEX_PERSONS_MAX];
	int n = keyindex_find(KEYINDEX_DIR, fp, uids);

	for (int i = 0; i < n; i++) {
		struct person who;
		bool has = false;

		if (person_by_uid(uids[i], &who, NULL) < 0)
			continue;
		(void)person_keys_find(&who, fp, READ_MS, have_it, &has, NULL);
		if (has && may_enter(&who, slug)) {
			*ret_person = who;
			return 0;
		}
		person_done(&who);
	}
	return error_set(e, -EACCES,
		slug ? "no project of that name that this key may enter" : "this key is nobody's");
}
