#include "config.h"
#include "lib/egress/name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <idn2.h>

/* What a person may write of a name, before it is made canonical. */
#define WRITTEN_MAX 1024

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Only letters, digits, hyphens and underscores; A-Z is made lower. */
static int lower(char *text, struct error *e)
{
	for (char *s = text; *s; s++) {
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
		if (!(*s >= 'a' && *s <= 'z') && !is_digit(*s) && !strchr("-_.", *s))
			return error_set(e, -EINVAL, "'%s' is no name: no name has '%c'", text, *s);
	}
	return 0;
}

/* resolvers take 127.1, 0x7f.1 and 2130706433 for addresses; no name ends in such a label */
static bool is_number(const char *label)
{
	if (label[0] == '0' && label[1] == 'x')
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return *label && label[strspn(label, "0123456789")] == '\0';
}

static int check_labels(const char *text, struct error *e)
{
	const char *label = text;

	if (strlen(text) > EGRESS_NAME_MAX)
		return error_set(e, -EINVAL, "a name has at most %d characters", EGRESS_NAME_MAX);
	for (;;) {
		size_t n = strcspn(label, ".");

		if (n == 0)
			return error_set(e, -EINVAL, "'%s' is no name: a part is empty", text);
		if (n > EGRESS_LABEL_MAX)
			return error_set(e, -EINVAL, "a part of a name has at most %d characters",
				EGRESS_LABEL_MAX);
		if (label[0] == '-')
			return error_set(e, -EINVAL, "'%s' is no name: a part begins with '-'",
				text);
		if (label[n] == '\0')
			break;
		label += n + 1;
	}
	if (is_number(label))
		return error_set(e, -EINVAL,
			"'%s' is neither a name nor an address of four numbers, as 192.0.2.1",
			text);
	return 0;
}

static int domain_parse(const char *text, struct egress_name *ret, struct error *e)
{
	char work[WRITTEN_MAX];
	size_t n;
	int err;

	n = (size_t)snprintf(work, sizeof(work), "%s", text);
	if (work[n - 1] == '.')
		work[n - 1] = '\0';
	err = lower(work, e) ?: check_labels(work, e);
	if (err < 0)
		return err;
	*ret = (struct egress_name){0};
	memcpy(ret->text, work, strlen(work) + 1);
	return 0;
}

static int unicode_parse(const char *text, struct egress_name *ret, struct error *e)
{
	uint8_t *ascii = NULL;
	int err = idn2_lookup_u8((const uint8_t *)text, &ascii,
		IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_NO_ALABEL_ROUNDTRIP);

	if (err != IDN2_OK)
		return error_set(e, -EINVAL, "'%s' is no name: %s", text, idn2_strerror(err));
	if (ascii[0] == '\0' || strlen((char *)ascii) >= WRITTEN_MAX)
		err = error_set(e, -EINVAL, "'%s' is no name", text);
	else
		err = domain_parse((char *)ascii, ret, e);
	idn2_free(ascii);
	return err;
}

void egress_address_name(const struct egress_address *a, struct egress_name *ret)
{
	struct egress_name n = {.address = *a};

	if (!inet_ntop(a->family, a->bytes, n.text, sizeof(n.text)))
		n.text[0] = '\0';
	*ret = n;
}

/* inet_pton takes four decimal numbers without leading zeros, and no zone of an IPv6 address. */
static bool address_parse(const char *text, struct egress_name *ret)
{
	struct egress_address a = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	char bare[64];
	size_t n = strlen(text);

	if (text[0] == '[' && text[n - 1] == ']' && n - 2 < sizeof(bare)) {
		memcpy(bare, text + 1, n - 2);
		bare[n - 2] = '\0';
		text = bare;
		a.family = AF_INET6;
	}
	if (inet_pton(a.family, text, a.bytes) != 1)
		return false;
	egress_address_name(&a, ret);
	return true;
}

int egress_name_parse(const char *text, size_t size, struct egress_name *ret, struct error *e)
{
	char work[WRITTEN_MAX];
	bool ascii = true;

	if (size == 0)
		return error_set(e, -EINVAL, "an empty name");
	if (size >= sizeof(work))
		return error_set(e, -EINVAL, "a name has at most %d characters", EGRESS_NAME_MAX);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == 0x7f)
			return error_set(e, -EINVAL,
				"no name: it has a blank or a control character");
		ascii = ascii && c < 0x80;
	}
	memcpy(work, text, size);
	work[size] = '\0';
	if (!ascii)
		return unicode_parse(work, ret, e);
	return address_parse(work, ret) ? 0 : domain_parse(work, ret, e);
}

int egress_port_parse(const char *text, size_t size, uint16_t *ret)
{
	unsigned port = 0;

	if (size == 0 || size > 5)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (!is_digit(text[i]))
			return -EINVAL;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	if (port == 0 || port > 65535)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

int egress_name_parse_port(const char *text, size_t size, uint16_t port, struct egress_name *ret,
	uint16_t *ret_port, struct error *e)
{
	const char *colon = memrchr(text, ':', size);
	const char *bracket = memrchr(text, ']', size);
	struct egress_name name;
	size_t n = size;
	int err;

	if (colon && bracket && colon < bracket)
		colon = NULL;
	/* two colons without brackets would be an address whose end is not clear */
	if (colon && !bracket && memchr(text, ':', size) != colon)
		return error_set(e, -EINVAL, "an IPv6 address is written in brackets here");
	if (colon)
		n = (size_t)(colon - text);
	if (colon && n + 1 < size && egress_port_parse(colon + 1, size - n - 1, &port) < 0)
		return error_set(e, -EINVAL, "no port: 1 to 65535");
	if (port == 0)
		return error_set(e, -EINVAL, "the port is missing");
	err = egress_name_parse(text, n, &name, e);
	if (err < 0)
		return err;
	*ret = name;
	*ret_port = port;
	return 0;
}

int egress_address_from(const struct sockaddr *sa, struct egress_address *ret, uint16_t *ret_port)
{
	struct egress_address a = {.family = sa->sa_family};

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

		memcpy(a.bytes, &in->sin_addr, 4);
		*ret_port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

		memcpy(a.bytes, &in6->sin6_addr, 16);
		*ret_port = ntohs(in6->sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	*ret = a;
	return 0;
}

socklen_t egress_address_to(const struct egress_address *a, uint16_t port,
	struct sockaddr_storage *ret)
{
	*ret = (struct sockaddr_storage){.ss_family = a->family};
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;

		memcpy(&in->sin_addr, a->bytes, 4);
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	memcpy(&((struct sockaddr_in6 *)ret)->sin6_addr, a->bytes, 16);
	((struct sockaddr_in6 *)ret)->sin6_port = htons(port);
	return sizeof(struct sockaddr_in6);
}
