/* What the keeper asks of systemd and logind.  Each call answers within two seconds. */
#ifndef CLSECURE_BUS_H
#define CLSECURE_BUS_H

#include <stdbool.h>
#include <sys/types.h>

#define SCOPE_NAME_MAX 96

struct scope {
	const char *name, *slice, *description;
	pid_t pid;
};

struct logind_session {
	uid_t user;
	pid_t leader;
	const char *service, *host; /* host: "" where there is none */
};

/* systemd runs here, and this was built with its library; else nothing below is called. */
bool bus_here(void);

/* 0: systemd will move the process; it may not have done so yet. */
int bus_start_scope(const struct scope *s);
int bus_stop_unit(const char *name);

/*
 * The leader is in the session's scope then.  Returns a descriptor: logind ends the session when
 * its last copy is closed.  ret_id: the session's, "" where it is longer.
 */
int bus_create_session(const struct logind_session *s, char ret_id[static 64]);
bool bus_in_session(pid_t pid);
/* Sessions of the user that logind has seen the end of, and that are still there. */
void bus_end_closing(uid_t user);

#endif
