/*
 * A place with clsecure.conf, profiles, projects, a home and a project's directory, all in a
 * temporary directory.  As root the person is nobody, whom as_person() really becomes; else it is
 * who runs the test.  For programs that are linked with policy_flags.
 */
#ifndef CLSECURE_POLICY_PLACE_H
#define CLSECURE_POLICY_PLACE_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/unit.h"

#include "lib/policy/effective.h"
#include "lib/policy/paths.h"
#include "lib/policy/tree.h"

static char top[] = "/tmp/test-policy-XXXXXX";
static char conf[128], profiles[128], projects[128], home[128], dir[128];
static char domains[128], own_domains[128];
static struct policy_paths paths = {.conf = conf,
	.profiles = profiles,
	.projects = projects,
	.domains = domains,
	.own_domains = own_domains};
static uid_t person_uid;
static gid_t person_gid;
static const char *person_name = "tester";

/* In the place of lib/policy/paths.c's. */
const struct policy_paths *policy_paths(void)
{
	return &paths;
}

static inline int fake_person(uid_t uid, struct person *ret_person, struct error *e)
{
	struct person p = {.uid = person_uid, .gid = person_gid};

	if (uid != person_uid)
		return error_set(e, -ENOENT, "there is no user with uid %u", uid);
	snprintf(p.name, sizeof(p.name), "%s", person_name);
	snprintf(p.home, sizeof(p.home), "%s", home);
	p.groups = malloc(sizeof(gid_t));
	p.groups[0] = person_gid;
	p.n_groups = 1;
	*ret_person = p;
	return 0;
}

/* In the place of lib/base/person.c's, which ask NSS. */
int __wrap_person_by_uid(uid_t uid, struct person *ret_person, struct error *e);
int __wrap_person_by_uid(uid_t uid, struct person *ret_person, struct error *e)
{
	return fake_person(uid, ret_person, e);
}

int __wrap_person_by_uid_alone(uid_t uid, struct person *ret_person, struct error *e);
int __wrap_person_by_uid_alone(uid_t uid, struct person *ret_person, struct error *e)
{
	return fake_person(uid, ret_person, e);
}

static inline void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static inline void put_in(const char *where, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", where, name);
	put(path, text);
}

static inline void drop_in(const char *where, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", where, name);
	unlink(path);
}

static inline void make(const char *where, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", where, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

#define PERSON ".config/clsecure/config"
#define PROJECT ".clsecure/config"

static inline int setup(void **state)
{
	umask(022);
	person_uid = getuid() ?: 65534;
	person_gid = getgid() ?: 65534;
	paths.trusted = getuid();
	assert_non_null(mkdtemp(top));
	chmod(top, 0755);
	snprintf(conf, sizeof(conf), "%s/clsecure.conf", top);
	snprintf(profiles, sizeof(profiles), "%s/profiles", top);
	snprintf(projects, sizeof(projects), "%s/projects", top);
	snprintf(domains, sizeof(domains), "%s/domains.d", top);
	snprintf(own_domains, sizeof(own_domains), "%s/own.d", top);
	snprintf(home, sizeof(home), "%s/home", top);
	snprintf(dir, sizeof(dir), "%s/my project", top);
	make(top, "profiles");
	make(top, "domains.d");
	make(top, "own.d");
	make(top, "home");
	make(top, "home/.config");
	make(top, "home/.config/clsecure");
	make(top, "my project");
	make(top, "my project/.clsecure");
	return 0;
}

static inline int teardown(void **state)
{
	_cleanup_close_ int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return tree_remove(tmp, top + strlen("/tmp/"), NULL);
}

static inline void add(char *const *assignments)
{
	struct person owner;
	struct error e = {0};
	struct project_new n = {
		.slug = "app",
		.path = dir,
		.owner = &owner,
		.worker_uid = getuid(),
		.assignments = assignments,
	};

	fake_person(person_uid, &owner, NULL);
	if (project_prepare(&n, &e) < 0 || project_create(&n, &e) < 0)
		fail_msg("%s", e.text);
	project_new_done(&n);
	person_done(&owner);
}

#define WORDS(...) ((char *const *)(const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})
#define ADD(...) add(WORDS(__VA_ARGS__))

/* A fresh project and no files, before each test. */
static inline int fresh(void **state)
{
	struct error e = {0};

	unlink(conf);
	drop_in(home, PERSON);
	drop_in(home, ".clsecurerc");
	drop_in(dir, PROJECT);
	drop_in(profiles, "web.conf");
	person_name = "tester";
	if (access(projects, F_OK) == 0 && project_destroy("app", &e) < 0 && e.code != -ENOENT)
		return -1;
	return 0;
}

static inline struct policy *load_with(char *const *overrides, unsigned flags)
{
	struct policy *p = NULL;
	struct error e = {0};

	if (policy_load("app", overrides, flags, &p, &e) < 0)
		fail_msg("%s", e.text);
	return p;
}

#define LOAD(...) load_with(WORDS(__VA_ARGS__), 0)

static inline void expect(enum setting s, const char *text, enum source source)
{
	_cleanup_(policy_freep) struct policy *p = LOAD();

	assert_string_equal(policy_text(p, s), text);
	assert_int_equal(policy_source(p, s), source);
}

static inline void expect_error(int code, const char *words)
{
	struct policy *p = NULL;
	struct error e = {0};

	assert_int_equal(policy_load("app", NULL, 0, &p, &e), code);
	assert_null(p);
	if (!strstr(e.text, words))
		fail_msg("%s", e.text);
}

static inline int set(bool admin, struct error *e, const char *a, const char *b)
{
	char *const assignments[] = {(char *)a, (char *)b, NULL};

	return project_change("app", person_uid, assignments, admin, NULL, e);
}

static inline void set_ok(bool admin, const char *a)
{
	struct error e = {0};

	if (set(admin, &e, a, NULL) < 0)
		fail_msg("%s", e.text);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

#endif
