#include "config.h"
#include "lib/sandbox/files.h"
#include "lib/base/macros.h"
#include "lib/base/names.h"

#include <stdarg.h>

static char *text(const char *format, ...) _printf_(1, 2);
static char *text(const char *format, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, format);
	n = vasprintf(&s, format, ap);
	va_end(ap);
	return n < 0 ? NULL : s;
}

/*
 * Whole files of our own: nobody inside can be anybody else.  65534 is what unmapped files show.
 * The worker's shell is ours here too: login(1) asks for it once more, inside.
 */
char *file_passwd(const struct plan_input *in)
{
	char owner[128] = "";

	/*
	 * Programs of the door ask who called them; inside, this name owns nothing and opens
	 * nothing.
	 */
	if (in->owner_uid != 0)
		snprintf(owner, sizeof(owner), "%s:x:%u:%u::/nonexistent:/usr/sbin/nologin\n",
			in->owner_name, in->owner_uid, PERSON_GID);
	return text("root:x:0:0:root:/root:/usr/sbin/nologin\n"
		"%s:x:%u:%u:clsecure:/home/%s:%s\n"
		"%s"
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		in->worker_name, in->worker, in->worker, in->worker_name,
		CLSECURE_LIBEXECDIR "/clsecure-shell", owner);
}

char *file_group(const struct plan_input *in)
{
	return text("root:x:0:\n"
		    "tty:x:5:\n"
		    "utmp:x:43:\n"
		    "%s:x:%u:\n"
		    "%s:x:%u:\n"
		    "nogroup:x:65534:\n",
		in->worker_name, in->worker, in->owner_uid != 0 ? in->owner_name : "project",
		PERSON_GID);
}

char *file_hosts(const struct plan_input *in)
{
	return text("127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
		in->slug);
}

char *file_hostname(const struct plan_input *in)
{
	return text("%s\n", in->slug);
}

char *file_nsswitch(const struct plan_input *in)
{
	return text("passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files%s\n"
		"networks: files\nprotocols: files\nservices: files\nethers: files\nrpc: files\n",
		in->resolv_conf ? " dns" : "");
}

/* The host's profile sets PATH: a login shell would lose the toolchains and what SetEnv= says. */
char *file_profile(void)
{
	return strdup("clsecure_path=$PATH\n"
		      "[ ! -r " HOST_PROFILE " ] || . " HOST_PROFILE "\n"
		      "PATH=$clsecure_path\n"
		      "export PATH\n"
		      "unset clsecure_path\n");
}

/*
 * Claude Code's own questions are answered by root: the sandbox is the permission.  Its inner
 * sandbox needs user namespaces, which are refused here, so that with it every command would fail.
 */
char *file_managed_settings(const struct plan_input *in)
{
	return strdup("{\n"
		"  \"skipDangerousModePermissionPrompt\": true,\n"
		"  \"sandbox\": { \"enabled\": false },\n"
		"  \"env\": {\n"
		"    \"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC\": \"1\",\n"
		"    \"CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL\": \"1\",\n"
		"    \"DISABLE_AUTOUPDATER\": \"1\"\n"
		"  }\n"
		"}\n");
}
