/* A session: what shell, exec and clsecure itself end in. */
#ifndef CLSECURE_OPEN_H
#define CLSECURE_OPEN_H

#include "launcher/clsecure/words.h"

struct open_request {
	const struct project *project;
	bool terminal; /* a pty of the sandbox; else the three streams are passed */
	/* one string for the worker's shell, for which the words are $1...; or NULL */
	const char *command;
	char *const *words; /* NULL-terminated, as they are, or NULL; neither: a login shell */
	const char *const *extra; /* further NULL-terminated "key=value" of the request, or NULL */
};

/* Opens it, relays until its end.  The exit status of clsecure. */
int session_run(const struct cli *c, const struct open_request *o);

/* Words joined by blanks, as ssh does; owned. */
char *words_join(char *const *words);

/*
 * The two relays.  They end when the server says that the program has ended, or the connection
 * does: *ret_status is its exit status, and the return value 0 or -errno with words in *a.
 */
int relay_terminal(const struct cli *c, int conn, int master, int *ret_status, struct answer *a);

/* Streams: ours[i] is -1 where the person's own descriptor was passed, else our end of a pipe. */
int relay_streams(const struct cli *c, int conn, int ours[static 3], int *ret_status,
	struct answer *a);

/* Replaces terminals among 0, 1, 2 by pipes, and closed descriptors by /dev/null. */
int streams_make(int ret_theirs[static 3], int ret_ours[static 3], struct error *e);

/* One frame while a program runs. 0: go on; 1: "exit", with *ret_status; 2: "end"; -errno. */
int take_frame(const struct cli *c, int conn, int *ret_status, struct answer *a);

#endif
