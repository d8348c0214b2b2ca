/* nofork SERVICE USER COMMAND...: opens a session, becomes the user and execs, without a fork. */
#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <unistd.h>

static int silent(int n, const struct pam_message **m, struct pam_response **r, void *data)
{
	for (int i = 0; i < n; i++)
		fprintf(stderr, "%s\n", m[i]->msg);
	return PAM_CONV_ERR;
}

int main(int argc, char **argv)
{
	struct pam_conv conv = {silent, NULL};
	pam_handle_t *pamh = NULL;
	struct passwd *pw = argc > 3 ? getpwnam(argv[2]) : NULL;
	int code;

	if (!pw || pam_start(argv[1], argv[2], &conv, &pamh) != PAM_SUCCESS)
		return 2;
	code = pam_open_session(pamh, 0);
	if (code != PAM_SUCCESS) {
		fprintf(stderr, "%s\n", pam_strerror(pamh, code));
		return 3;
	}
	if (setgroups(0, NULL) < 0 || setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0)
		return 4;
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 5;
}
