/*
 * Both sides of the reading of a person's keys.  The first byte says which: as the person's files,
 * read by the child, whose answer root's side must then take and find nothing in but the key that
 * was asked for; or as the answer of a child that the person has taken over.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/clsecure-keys/keyfile.h"

#define TYPE "ssh-ed25519"
#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIMBmpzMWpkgvZbUQaz0GCqcQjwJMBUE8zQgTdhI+lnmV"
#define ANSWER_MAX (64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_as_person(const struct person *p, person_fn fn, void *arg, int keep, unsigned timeout_ms,
	struct person_reply *ret_reply, struct error *e);
int __wrap_person_answer(struct person_out *out, const void *data, size_t size);
int __wrap_person_open(
	const char *path, int flags, mode_t type, bool links, int *ret_fd, struct error *e);
int __wrap_read_whole(int fd, size_t max, char **ret_data, size_t *ret_size);

static struct {
	const uint8_t *data;
	size_t size;
	bool honest;
	char answer[ANSWER_MAX + 1];
	size_t answered;
} now;

static uint8_t wanted[FINGERPRINT_SIZE];

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* No fork: the child's half runs here, or what it would say is given. */
int __wrap_as_person(const struct person *p, person_fn fn, void *arg, int keep, unsigned timeout_ms,
	struct person_reply *ret_reply, struct error *e)
{
	struct person_reply r = {0};

	now.answered = 0;
	if (now.honest)
		r.result = fn(arg, NULL, e);
	else
		must(__wrap_person_answer(NULL, now.data, now.size) == 0);
	must(r.result == 0);
	now.answer[now.answered] = '\0';
	r.size = now.answered;
	r.data = malloc(r.size + 1);
	must(r.data);
	memcpy(r.data, now.answer, r.size + 1);
	*ret_reply = r;
	return 0;
}

int __wrap_person_answer(struct person_out *out, const void *data, size_t size)
{
	must(size <= ANSWER_MAX - now.answered);
	memcpy(now.answer + now.answered, data, size);
	now.answered += size;
	return 0;
}

/* The folders are root's and have no .pub file, so the only file is authorized_keys, 0600. */
int __wrap_person_open(
	const char *path, int flags, mode_t type, bool links, int *ret_fd, struct error *e)
{
	int fd = type == S_IFDIR
		? open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
		: memfd_create("keys", MFD_CLOEXEC);

	must(fd >= 0 && (type == S_IFDIR || fchmod(fd, 0600) == 0));
	*ret_fd = fd;
	return 0;
}

int __wrap_read_whole(int fd, size_t max, char **ret_data, size_t *ret_size)
{
	char *data = malloc(now.size + 1);

	must(data && now.size <= max);
	memcpy(data, now.data, now.size);
	data[now.size] = '\0';
	*ret_data = data;
	*ret_size = now.size;
	return 0;
}

static int found(const struct keyline *k, bool local, void *arg)
{
	must(memcmp(k->fingerprint, wanted, sizeof(wanted)) == 0);
	must(!local || !now.honest);
	must(streq(k->type, TYPE) && streq(k->key, KEY));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct person p = {.name = "ann", .home = "/home/ann"};
	_cleanup_free_ uint8_t *fps = NULL;
	struct error e = {0};
	size_t n = 0;
	int r;

	if (size == 0 || size > ANSWER_MAX)
		return -1;
	p.uid = geteuid();
	must(key_fingerprint(TYPE, KEY, wanted) == 0);
	now.honest = data[0] & 1;
	now.data = data + 1;
	now.size = size - 1;
	r = person_keys_find(&p, wanted, 1000, found, NULL, &e);
	must(r == 0 || (r == -EPROTO && !now.honest));
	must(person_keys_list(&p, 1000, &fps, &n, &e) == 0);
	must(n <= PERSON_KEYS_MAX);
	return 0;
}
