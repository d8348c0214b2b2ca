#include "config.h"
#include "launcher/clsecured/ticket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include <nettle/hmac.h>
#include <nettle/memops.h>

#define TICKET_VERSION "1."
#define MAC_SIZE SHA256_DIGEST_SIZE

static void to_hex(const uint8_t *data, size_t n, char *buf)
{
	for (size_t i = 0; i < n; i++)
		snprintf(buf + 2 * i, 3, "%02x", data[i]);
}

static int from_hex(const char *hex, uint8_t *data, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		const char *high = hex[2 * i] ? strchr(digits, hex[2 * i]) : NULL;
		const char *low = high && hex[2 * i + 1] ? strchr(digits, hex[2 * i + 1]) : NULL;

		if (!low)
			return -EBADMSG;
		data[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return 0;
}

static void make_mac(const uint8_t *key, const char *text, size_t size,
	uint8_t mac[static MAC_SIZE])
{
	struct hmac_sha256_ctx h;

	hmac_sha256_set_key(&h, TICKET_KEY_SIZE, key);
	hmac_sha256_update(&h, size, (const uint8_t *)text);
	hmac_sha256_digest(&h, MAC_SIZE, mac);
	explicit_bzero(&h, sizeof(h));
}

void ticket_format(const uint8_t key[static TICKET_KEY_SIZE], const struct ticket *t,
	char buf[static TICKET_MAX])
{
	char nonce[2 * TICKET_NONCE_SIZE + 1], fp[FINGERPRINT_HEX + 1], hex[2 * MAC_SIZE + 1];
	uint8_t mac[MAC_SIZE];
	int n;

	to_hex(t->nonce, sizeof(t->nonce), nonce);
	fingerprint_hex(t->fp, fp);
	n = snprintf(buf, TICKET_MAX, TICKET_VERSION "%llu.%s.%s", (unsigned long long)t->expires,
		nonce, fp);
	make_mac(key, buf, (size_t)n, mac);
	to_hex(mac, sizeof(mac), hex);
	snprintf(buf + n, (size_t)(TICKET_MAX - n), ".%s", hex);
}

/* The mac is looked at before anything is read out of the text. */
int ticket_parse(const uint8_t key[static TICKET_KEY_SIZE], const char *text,
	struct ticket *ret_ticket)
{
	const char *dot = strrchr(text, '.'), *s = text + strlen(TICKET_VERSION);
	uint8_t mac[MAC_SIZE], given[MAC_SIZE];
	struct ticket t = {0};
	char *end;

	if (!dot || strlen(text) >= TICKET_MAX || strlen(dot + 1) != 2 * MAC_SIZE ||
		from_hex(dot + 1, given, MAC_SIZE) < 0)
		return -EBADMSG;
	make_mac(key, text, (size_t)(dot - text), mac);
	if (!memeql_sec(mac, given, MAC_SIZE) ||
		strncmp(text, TICKET_VERSION, strlen(TICKET_VERSION)) != 0)
		return -EBADMSG;
	t.expires = strtoull(s, &end, 10);
	if (*end != '.' || dot - end != 2 + 2 * TICKET_NONCE_SIZE + FINGERPRINT_HEX ||
		from_hex(end + 1, t.nonce, sizeof(t.nonce)) < 0 ||
		end[1 + 2 * TICKET_NONCE_SIZE] != '.' ||
		from_hex(end + 2 + 2 * TICKET_NONCE_SIZE, t.fp, sizeof(t.fp)) < 0)
		return -EBADMSG;
	*ret_ticket = t;
	return 0;
}

static int read_key(uint8_t key[static TICKET_KEY_SIZE])
{
	_cleanup_close_ int fd = open(TICKET_KEY, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 077))
		return -EPERM;
	return read(fd, key, TICKET_KEY_SIZE) == TICKET_KEY_SIZE ? 0 : -EBADMSG;
}

/* Two that make it at once: link(2) lets one win, and both read that one's. */
static int make_key(void)
{
	_cleanup_close_ int fd = -1;
	uint8_t key[TICKET_KEY_SIZE];
	char temporary[] = TICKET_KEY ".XXXXXX";
	int err = 0;

	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (getrandom(key, sizeof(key), 0) != sizeof(key) ||
		write(fd, key, sizeof(key)) != sizeof(key) || fsync(fd) < 0)
		err = -EIO;
	else if (link(temporary, TICKET_KEY) < 0 && errno != EEXIST)
		err = -errno;
	unlink(temporary);
	explicit_bzero(key, sizeof(key));
	return err;
}

static int get_key(uint8_t key[static TICKET_KEY_SIZE], struct error *e)
{
	int err = read_key(key);

	if (err == -ENOENT) {
		err = make_key();
		if (err == 0)
			err = read_key(key);
	}
	return err < 0 ? error_errno(e, err, "the key of tickets '%s'", TICKET_KEY) : 0;
}

int ticket_make(const uint8_t fp[static FINGERPRINT_SIZE], char buf[static TICKET_MAX],
	struct error *e)
{
	struct ticket t = {.expires = (uint64_t)time(NULL) + TICKET_SECONDS};
	uint8_t key[TICKET_KEY_SIZE];
	int err = get_key(key, e);

	if (err < 0)
		return err;
	if (getrandom(t.nonce, sizeof(t.nonce), 0) != sizeof(t.nonce))
		return error_set(e, -EIO, "no random numbers for a ticket");
	memcpy(t.fp, fp, sizeof(t.fp));
	ticket_format(key, &t, buf);
	explicit_bzero(key, sizeof(key));
	return 0;
}

/* What is too old to be a ticket's that still counts. */
static void forget_expired(int dir)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	struct stat st;

	if (!d)
		closep(&copy);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.' &&
			fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_mtime + 2 * TICKET_SECONDS < time(NULL))
			unlinkat(dir, entry->d_name, 0);
	if (d)
		closedir(d);
}

static int use_nonce(const struct ticket *t)
{
	_cleanup_close_ int dir = -1, fd = -1;
	char name[2 * TICKET_NONCE_SIZE + 1];

	if (mkdir(CLSECURE_RUNDIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mkdir(TICKETS_USED, 0700) < 0 && errno != EEXIST)
		return -errno;
	dir = open(TICKETS_USED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	to_hex(t->nonce, sizeof(t->nonce), name);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	forget_expired(dir);
	return 0;
}

int ticket_use(const char *text, uint8_t ret_fp[static FINGERPRINT_SIZE], struct error *e)
{
	uint8_t key[TICKET_KEY_SIZE];
	struct ticket t;
	uint64_t now = (uint64_t)time(NULL);
	int err = get_key(key, e);

	if (err < 0)
		return err;
	err = ticket_parse(key, text, &t);
	explicit_bzero(key, sizeof(key));
	if (err < 0)
		return error_set(e, -EACCES, "the ticket of this connection is not one of ours");
	if (now >= t.expires || t.expires > now + TICKET_SECONDS)
		return error_set(e, -EACCES,
			"the ticket of this connection has expired: connect anew");
	err = use_nonce(&t);
	if (err == -EEXIST)
		return error_set(e, -EACCES,
			"one connection to the gateway opens one session: connect anew");
	if (err < 0)
		return error_errno(e, err, "'%s'", TICKETS_USED);
	memcpy(ret_fp, t.fp, FINGERPRINT_SIZE);
	return 0;
}
