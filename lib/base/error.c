#include "config.h"
#include "lib/base/error.h"

#include <stdarg.h>
#include <stdint.h>

/* Length of the well-formed, printable UTF-8 character at s (RFC 3629), or 0. */
static size_t utf8_char(const unsigned char *s)
{
	uint32_t c;
	size_t n;

	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2, c = s[0] & 0x1f;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3, c = s[0] & 0x0f;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4, c = s[0] & 0x07;
	else
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((n == 3 && c < 0x800) || (n == 4 && (c < 0x10000 || c > 0x10ffff)) ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;
	/* C1 controls; marks that turn the direction of writing round */
	if (c < 0xa0 || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

void text_clean(char *text)
{
	for (unsigned char *s = (unsigned char *)text; *s;) {
		size_t n = utf8_char(s);

		if (n == 0) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
}

void text_escape(const char *text, char *buf, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	while (*s) {
		size_t n = utf8_char(s);
		char hex[5] = "\\n";

		if (*s == '\t')
			hex[1] = 't';
		else if (n == 0 && *s != '\n')
			snprintf(hex, sizeof(hex), "\\x%02x", *s);
		if (at + (n ?: strlen(hex)) >= size)
			break;
		memcpy(buf + at, n ? (const char *)s : hex, n ?: strlen(hex));
		at += n ?: strlen(hex);
		s += n ?: 1;
	}
	buf[at] = '\0';
}

int error_set(struct error *e, int code, const char *format, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	text_clean(e->text);
	return code;
}

int error_errno(struct error *e, int code, const char *format, ...)
{
	va_list ap;
	size_t n;

	if (!e)
		return code;
	e->code = code;
	va_start(ap, format);
	vsnprintf(e->text, sizeof(e->text), format, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s",
		strerrordesc_np(-code) ?: "unknown error");
	text_clean(e->text);
	return code;
}
