/*
 * clsecure-keys USER TYPE KEY: sshd's AuthorizedKeysCommand for the gateway and the workers.
 *
 * Prints the lines of those who may enter and whose own file has this very key, and nothing else:
 * it runs as root, but what a person can change is read by a child with that person's ids.
 * Everything takes less than a second, whoever asks: candidates come from the index, and for a
 * worker also from the project, which names a few.  What is wrong goes to the log; sshd sees no key
 * then.
 *
 * clsecure-keys --update: refreshes the index.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <syslog.h>
#include <time.h>

#include "launcher/clsecure-keys/keyfile.h"
#include "launcher/clsecure-keys/keyusers.h"
#include "launcher/clsecured/ticket.h"
#include "lib/base/record.h"

#define WHOLE_MS 900
#define PERSON_MS 400

struct asked {
	const char *type, *key;
	uint8_t fp[FINGERPRINT_SIZE];
	char command[TICKET_MAX + 32]; /* "" for a worker */
	uint64_t until;
	uid_t seen[KEYINDEX_PERSONS_MAX + KEYUSERS_MAX];
	size_t n;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int print_line(const struct keyline *k, bool local, void *arg)
{
	const struct asked *a = arg;
	_cleanup_free_ char *line = NULL;

	if (streq(k->type, a->type) &&
		keyline_format(k, local, a->command[0] ? a->command : NULL, &line) == 0)
		puts(line);
	return 0;
}

static int ask_person(const struct person *who, void *arg)
{
	struct asked *a = arg;
	uint64_t now = now_ms(), left = now < a->until ? a->until - now : 0;
	struct error e = {0};

	for (size_t i = 0; i < a->n; i++)
		if (a->seen[i] == who->uid)
			return 0;
	if (left == 0 || a->n == ELEMENTSOF(a->seen))
		return 1;
	a->seen[a->n++] = who->uid;
	if (person_keys_find(who, a->fp, left < PERSON_MS ? (unsigned)left : PERSON_MS, print_line,
		    a, &e) < 0)
		syslog(LOG_NOTICE, "%s", e.text);
	return 0;
}

/* Those of the index who may enter (policy NULL: who has a key may ask the gateway). */
static void ask_indexed(struct asked *a, const struct policy *policy)
{
	uid_t uids[KEYINDEX_PERSONS_MAX];
	int n = keyindex_find(KEYINDEX_DIR, a->fp, uids);

	for (int i = 0; i < n; i++) {
		struct person who;

		if (person_by_uid(uids[i], &who, NULL) < 0)
			continue;
		if (!policy || policy_may_enter(policy, &who))
			(void)ask_person(&who, a);
		person_done(&who);
	}
}

static int print_gateway(struct asked *a)
{
	char ticket[TICKET_MAX];
	struct error e = {0};

	if (ticket_make(a->fp, ticket, &e) < 0) {
		syslog(LOG_ERR, "%s", e.text);
		return 1;
	}
	snprintf(a->command, sizeof(a->command), "clsecure-gateway %s", ticket);
	ask_indexed(a, NULL);
	return 0;
}

static int print_worker(struct asked *a, const char *user)
{
	struct policy *policy = NULL;
	struct error e = {0};

	if (policy_load(worker_slug(user), NULL, POLICY_TRUSTED_ONLY, &policy, &e) < 0) {
		syslog(LOG_NOTICE, "%s: %s", user, e.text);
		return 1;
	}
	ask_indexed(a, policy);
	/* A key that is newer than the index: the project itself names few. */
	(void)keyusers_of(policy, ask_person, a);
	policy_free(policy);
	return 0;
}

static int print_keys(const char *user, const char *type, const char *key)
{
	struct asked a = {.type = type, .key = key, .until = now_ms() + WHOLE_MS};
	struct record record;
	enum identity identity = identity_of(user);

	if (identity != IDENTITY_WORKER && identity != IDENTITY_GATEWAY)
		return 0;
	if (record_by_name(REGISTRY_ARMED, user, &record) < 0 ||
		key_fingerprint(type, key, a.fp) < 0)
		return 0;
	return identity == IDENTITY_GATEWAY ? print_gateway(&a) : print_worker(&a, user);
}

static int update(void)
{
	struct error e = {0};

	if (keyusers_update(&e) < 0) {
		fprintf(stderr, "clsecure-keys: %s\n", e.text);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int status = 2;

	signal(SIGPIPE, SIG_IGN);
	openlog("clsecure-keys", LOG_PID, LOG_AUTHPRIV);
	if (geteuid() != 0)
		fprintf(stderr, "clsecure-keys: only root can ask: sshd does\n");
	else if (argc == 2 && streq(argv[1], "--update"))
		status = update();
	else if (argc == 4 && argv[1][0] != '-')
		status = print_keys(argv[1], argv[2], argv[3]);
	else
		fprintf(stderr,
			"Usage: clsecure-keys USER TYPE KEY\n       clsecure-keys --update\n");
	return fflush(stdout) == 0 ? status : 1;
}
