#include "config.h"
#include "launcher/clsecured/login.h"
#include "launcher/clsecured/projects.h"
#include "lib/base/names.h"

#include <errno.h>

/* Our module begins with the name that `clsecure` will say before it. */
static const char *without_name(const char *words)
{
	static const char name[] = "clsecure: ";

	return strncmp(words, name, sizeof(name) - 1) == 0 ? words + sizeof(name) - 1 : words;
}

/* Carries what modules say to the peer.  There is nobody to answer a question. */
static int converse(int n, const struct pam_message **messages, struct pam_response **ret_responses,
	void *data)
{
	struct login *l = data;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	for (int i = 0; i < n; i++) {
		switch (messages[i]->msg_style) {
		case PAM_ERROR_MSG:
			snprintf(l->reason, sizeof(l->reason), "%s",
				without_name(messages[i]->msg));
			text_clean(l->reason);
			break;
		case PAM_TEXT_INFO:
			note(l->r, "%s", messages[i]->msg);
			break;
		default:
			return PAM_CONV_ERR;
		}
	}
	*ret_responses = calloc((size_t)n, sizeof(**ret_responses));
	return *ret_responses ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int refused(struct login *l, int status, const char *slug, struct error *e)
{
	int code = status == PAM_SYSTEM_ERR || status == PAM_BUF_ERR ? -EIO : -EACCES;

	l->status = status;
	return error_set(e, code, "enter project '%s': %s", slug,
		l->reason[0] ? l->reason : pam_strerror(l->pam, status));
}

static int set_items(struct login *l)
{
	const char *host = l->r->gateway ? message_get(l->r->m, "host") : NULL;
	int status = pam_set_item(l->pam, PAM_RUSER, l->r->who.name);

	if (status == PAM_SUCCESS)
		status = pam_set_item(l->pam, PAM_RHOST, host ?: "");
	return status;
}

int login_open(struct login *l, struct request *r, const char *slug, struct error *e)
{
	const struct pam_conv conv = {converse, l};
	char user[WORKER_NAME_MAX + 1];
	int status;

	*l = (struct login){.r = r};
	worker_name(slug, user);
	status = pam_start(LOGIN_SERVICE, user, &conv, &l->pam);
	if (status != PAM_SUCCESS)
		return error_set(e, -EIO, "enter project '%s': PAM does not start", slug);
	status = set_items(l);
	if (status == PAM_SUCCESS)
		status = pam_acct_mgmt(l->pam, 0);
	if (status == PAM_SUCCESS)
		status = pam_setcred(l->pam, PAM_ESTABLISH_CRED);
	if (status != PAM_SUCCESS)
		return refused(l, status, slug, e);
	l->credentials = true;
	status = pam_open_session(l->pam, 0);
	if (status != PAM_SUCCESS)
		return refused(l, status, slug, e);
	l->session = true;
	l->status = PAM_SUCCESS;
	return 0;
}

char **login_environment(struct login *l, char *const *variables)
{
	char **list = pam_getenvlist(l->pam), **longer;
	size_t n = 0, more = 0;

	while (list && list[n])
		n++;
	while (variables[more])
		more++;
	longer = list ? reallocarray(list, n + more + 1, sizeof(*list)) : NULL;
	if (!longer) {
		strv_free(list);
		return NULL;
	}
	for (size_t i = 0; i < more; i++) {
		longer[n + i] = strdup(variables[i]);
		longer[n + i + 1] = NULL;
		if (!longer[n + i]) {
			strv_free(longer);
			return NULL;
		}
	}
	return longer;
}

void login_close(struct login *l)
{
	if (!l->pam)
		return;
	if (l->session)
		l->status = pam_close_session(l->pam, 0);
	if (l->credentials)
		pam_setcred(l->pam, PAM_DELETE_CRED | PAM_SILENT);
	pam_end(l->pam, l->status);
	l->pam = NULL;
}
