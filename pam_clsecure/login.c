#include "config.h"
#include "pam_clsecure/login.h"
#include "lib/base/macros.h"

#include <security/pam_ext.h>
#include <stdarg.h>
#include <syslog.h>

static const char *item_text(pam_handle_t *pamh, int item)
{
	const void *value = NULL;

	if (pam_get_item(pamh, item, &value) != PAM_SUCCESS || !value)
		return "";
	return value;
}

int login_get(pam_handle_t *pamh, int flags, struct login *ret_login)
{
	struct login l = {.pamh = pamh, .flags = flags};

	l.user = item_text(pamh, PAM_USER);
	l.identity = identity_of(l.user);
	if (l.identity == IDENTITY_OTHER)
		return PAM_IGNORE;
	l.service = item_text(pamh, PAM_SERVICE);
	l.slug = worker_slug(l.user);
	*ret_login = l;
	return PAM_SUCCESS;
}

void login_item(const struct login *l, int item, char *buf, size_t size)
{
	snprintf(buf, size, "%s", item_text(l->pamh, item));
	text_clean(buf);
}

static _printf_(2, 0) void vnote(const struct login *l, const char *format, va_list ap)
{
	struct error words = {0};

	vsnprintf(words.text, sizeof(words.text), format, ap);
	text_clean(words.text);
	pam_syslog(l->pamh, LOG_AUTHPRIV | LOG_NOTICE, "%s: %s", l->user, words.text);
}

void login_note(const struct login *l, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vnote(l, format, ap);
	va_end(ap);
}

int login_refuse(const struct login *l, int code, const char *format, ...)
{
	struct error words = {0};
	va_list ap;

	va_start(ap, format);
	vsnprintf(words.text, sizeof(words.text), format, ap);
	va_end(ap);
	text_clean(words.text);
	login_note(l, "refused: %s", words.text);
	if (!(l->flags & PAM_SILENT))
		pam_error(l->pamh, "clsecure: %s", words.text);
	return code;
}
