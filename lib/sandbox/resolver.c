#include "config.h"
#include "lib/sandbox/resolver.h"
#include "lib/base/macros.h"
#include "lib/base/person.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define CONF_MAX (64 * 1024) /* bytes */
#define ADDRESS_SIZE 64

static int file_text(const char *path, char **ret_text)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t size;

	if (fd >= 0)
		return read_whole(fd, CONF_MAX, ret_text, &size);
	if (errno != ENOENT && errno != ENOTDIR)
		return -errno;
	*ret_text = strdup("");
	return *ret_text ? 0 : -ENOMEM;
}

static bool word_is(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == '\t');
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : "";
}

static void address_of(const char *line, char ret_address[static ADDRESS_SIZE])
{
	const char *address = line + strlen("nameserver");

	address += strspn(address, " \t");
	snprintf(ret_address, ADDRESS_SIZE, "%.*s", (int)strcspn(address, " \t\n"), address);
}

static bool is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || streq(address, "::1");
}

/* Where a file names nobody, libc asks the loopback. */
static void first_server(const char *text, char ret_address[static ADDRESS_SIZE])
{
	strcpy(ret_address, "127.0.0.1");
	for (const char *line = text; *line; line = next_line(line))
		if (word_is(line, "nameserver")) {
			address_of(line, ret_address);
			return;
		}
}

static bool is_reachable_server(const char *line)
{
	char address[ADDRESS_SIZE];

	if (!word_is(line, "nameserver"))
		return false;
	address_of(line, address);
	return !is_loopback(address);
}

static void copy_lines(FILE *f, const char *text, bool servers)
{
	for (const char *line = text; *line; line = next_line(line))
		if (word_is(line, "search") || word_is(line, "domain") ||
			word_is(line, "options") || (servers && is_reachable_server(line)))
			fprintf(f, "%.*s\n", (int)strcspn(line, "\n"), line);
}

/* systemd-resolved's own, which says in another file whom it asks. */
static bool is_resolved(const char *address)
{
	return streq(address, "127.0.0.53") || streq(address, "127.0.0.54");
}

static void write_conf(FILE *f, const char *own, const char *upstream, bool *ret_forward)
{
	char first[ADDRESS_SIZE], asked[ADDRESS_SIZE];

	first_server(own, first);
	first_server(upstream, asked);
	*ret_forward = is_loopback(first) && (!is_resolved(first) || is_loopback(asked));
	/* What is too long for a datagram would be asked again by TCP, which pasta does not
	 * forward. */
	if (*ret_forward)
		fprintf(f, "nameserver " PASTA_DNS "\noptions edns0\n");
	copy_lines(f, is_loopback(first) && !*ret_forward ? upstream : own, !*ret_forward);
}

int resolver_find(const char *conf, const char *upstream, struct resolver *ret_resolver)
{
	_cleanup_free_ char *own = NULL, *theirs = NULL;
	struct resolver r = {0};
	size_t size;
	FILE *f;
	int err = file_text(conf, &own);

	if (err == 0)
		err = file_text(upstream, &theirs);
	if (!own || !theirs)
		return err;
	f = open_memstream(&r.text, &size);
	if (!f)
		return -ENOMEM;
	write_conf(f, own, theirs, &r.forward);
	if (fclose(f) != 0) {
		free(r.text);
		return -ENOMEM;
	}
	*ret_resolver = r;
	return 0;
}
