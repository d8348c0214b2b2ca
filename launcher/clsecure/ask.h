/* Asking clsecured; for root, a child that runs the same code. */
#ifndef CLSECURE_ASK_H
#define CLSECURE_ASK_H

#include "launcher/clsecure/ui.h"
#include "launcher/clsecured/message.h"

struct server {
	int conn;
	pid_t child; /* root's own, or 0 */
};
#define SERVER_INIT {.conn = -1}
#define _cleanup_server_ _cleanup_(server_close)

/* A connection to clsecured itself, for whoever is not root. */
int clsecured_connect(int *ret_fd, struct error *e);

struct answer {
	struct error error;
	char remedy[256];
};

int server_open(struct server *s, struct answer *a);
void server_close(struct server *s);

/* Complains with the answer's words and remedy; the exit status. */
int answer_fail(const struct cli *c, const struct answer *a);

/* What an "end" says: 0 or -errno, with words in *a. */
int answer_end(const struct message *m, struct answer *a);

/*
 * Sends q and calls row for each row, until the end.  Notes are complained.  0, or -errno with
 * words in *a; a row that returns other than 0 ends it with that.
 */
typedef int (*row_fn)(void *arg, const struct message *m);
int ask(const struct cli *c, const struct message *q, row_fn row, void *arg, struct answer *a);

/* A request: op and, where given, this run's settings. */
int request_new(const struct cli *c, const char *op, struct message *ret_message);

#endif
