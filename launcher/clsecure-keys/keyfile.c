#include "config.h"
#include "launcher/clsecure-keys/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FILE_MAX (256 * 1024)
#define PUB_FILES_MAX 64
#define ORIGIN_FILE 'a'
#define ORIGIN_PUB 'p'

struct question {
	const struct person *person;
	const uint8_t *wanted; /* NULL: all of them, as fingerprints */
	struct person_out *out;
	size_t n;
};

/* As sshd with StrictModes: nobody else could have written it. */
static bool strict(int fd, uid_t uid)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_uid == uid || st.st_uid == 0) &&
		(st.st_mode & 022) == 0;
}

static int answer_line(struct question *q, const char *line, char origin)
{
	_cleanup_keyline_ struct keyline k = {0};
	char hex[FINGERPRINT_HEX + 2];
	int err;

	if (keyline_parse(line, &k) < 0 || q->n >= PERSON_KEYS_MAX)
		return 0; /* one bad line is no reason to lose the others */
	if (!q->wanted) {
		fingerprint_hex(k.fingerprint, hex);
		hex[FINGERPRINT_HEX] = '\n';
		q->n++;
		return person_answer(q->out, hex, FINGERPRINT_HEX + 1);
	}
	if (memcmp(k.fingerprint, q->wanted, FINGERPRINT_SIZE) != 0)
		return 0;
	q->n++;
	err = person_answer(q->out, &origin, 1);
	if (err == 0)
		err = person_answer(q->out, line, strlen(line));
	return err < 0 ? err : person_answer(q->out, "\n", 1);
}

/* What is not there, not a file, or not strictly the person's is passed over. */
static int answer_file(struct question *q, const char *path, char origin)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *data = NULL;
	char *save = NULL;
	size_t size;
	int err = 0;

	if (person_open(path, O_RDONLY, S_IFREG, true, &fd, NULL) < 0 ||
		!strict(fd, q->person->uid))
		return 0;
	if (read_whole(fd, FILE_MAX, &data, &size) < 0 || strlen(data) != size)
		return 0;
	for (char *line = strtok_r(data, "\r\n", &save); line && err == 0;
		line = strtok_r(NULL, "\r\n", &save))
		err = answer_line(q, line, origin);
	return err;
}

static int answer_pubs(struct question *q, int folder, const char *path)
{
	char full[PATH_MAX];
	struct dirent *entry;
	DIR *dir = fdopendir(folder);
	int err = 0;
	size_t n = 0;

	if (!dir) {
		close(folder);
		return 0;
	}
	while (err == 0 && n < PUB_FILES_MAX && (entry = readdir(dir))) {
		size_t k = strlen(entry->d_name);

		if (k <= 4 || !streq(entry->d_name + k - 4, ".pub") ||
			snprintf(full, sizeof(full), "%s/%s", path, entry->d_name) >=
				(int)sizeof(full))
			continue;
		n++;
		err = answer_file(q, full, ORIGIN_PUB);
	}
	closedir(dir);
	return err;
}

/* In the child, as the person. */
static int answer(void *arg, struct person_out *out, struct error *e)
{
	struct question *q = arg;
	_cleanup_close_ int home = -1, folder = -1;
	char path[PATH_MAX], file[PATH_MAX + 32];
	int err;

	q->out = out;
	if (snprintf(path, sizeof(path), "%s/.ssh", q->person->home) >= (int)sizeof(path))
		return 0;
	if (person_open(q->person->home, O_RDONLY | O_DIRECTORY, S_IFDIR, true, &home, NULL) < 0 ||
		person_open(path, O_RDONLY | O_DIRECTORY, S_IFDIR, true, &folder, NULL) < 0)
		return 0;
	if (!strict(home, q->person->uid) || !strict(folder, q->person->uid))
		return 0;
	snprintf(file, sizeof(file), "%s/authorized_keys", path);
	err = answer_file(q, file, ORIGIN_FILE);
	return err < 0 ? err : answer_pubs(q, TAKE_FD(folder), path);
}

/* The child is the person's as much as the files are: its answer is parsed as they would be. */
static int each_line(char *data, const uint8_t *wanted, key_found f, void *arg)
{
	char *save = NULL;
	int r = 0;

	for (char *line = strtok_r(data, "\n", &save); line && r == 0;
		line = strtok_r(NULL, "\n", &save)) {
		_cleanup_keyline_ struct keyline k = {0};

		if (*line != ORIGIN_FILE && *line != ORIGIN_PUB)
			return -EPROTO;
		if (keyline_parse(line + 1, &k) < 0 ||
			memcmp(k.fingerprint, wanted, FINGERPRINT_SIZE) != 0)
			return -EPROTO;
		r = f(&k, *line == ORIGIN_PUB, arg);
	}
	return r;
}

static int ask(const struct person *p, const uint8_t *wanted, unsigned timeout_ms,
	struct person_reply *ret_reply, struct error *e)
{
	struct question q = {.person = p, .wanted = wanted};
	int err = as_person(p, answer, &q, -1, timeout_ms, ret_reply, e);

	if (err < 0)
		return err;
	if (ret_reply->result < 0) {
		err = error_set(e, ret_reply->result, "the keys of '%s': %s", p->name,
			ret_reply->error.text);
		person_reply_done(ret_reply);
		return err;
	}
	return 0;
}

int person_keys_find(const struct person *p, const uint8_t fp[static FINGERPRINT_SIZE],
	unsigned timeout_ms, key_found f, void *arg, struct error *e)
{
	struct person_reply reply;
	int r = ask(p, fp, timeout_ms, &reply, e);

	if (r < 0)
		return r;
	r = each_line(reply.data, fp, f, arg);
	person_reply_done(&reply);
	return r == -EPROTO ? error_set(e, r, "the keys of '%s': a strange answer", p->name) : r;
}

int person_keys_list(const struct person *p, unsigned timeout_ms, uint8_t **ret_fps, size_t *ret_n,
	struct error *e)
{
	_cleanup_free_ uint8_t *fps = calloc(PERSON_KEYS_MAX, FINGERPRINT_SIZE);
	struct person_reply reply;
	char *save = NULL;
	size_t n = 0;
	int err;

	if (!fps)
		return error_errno(e, -ENOMEM, "the keys of '%s'", p->name);
	err = ask(p, NULL, timeout_ms, &reply, e);
	if (err < 0)
		return err;
	for (char *hex = strtok_r(reply.data, "\n", &save); hex && n < PERSON_KEYS_MAX;
		hex = strtok_r(NULL, "\n", &save))
		if (fingerprint_parse(hex, fps + n * FINGERPRINT_SIZE) == 0)
			n++;
	person_reply_done(&reply);
	*ret_fps = TAKE_PTR(fps);
	*ret_n = n;
	return 0;
}
