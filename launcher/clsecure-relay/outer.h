/*
 * The terminal of the host, outside: raw while it is ours and in the foreground, and at the end
 * what it was, whoever dies first.
 */
#ifndef CLSECURE_RELAY_OUTER_H
#define CLSECURE_RELAY_OUTER_H

#include <stdbool.h>
#include <termios.h>

/* Shared with the process that restores the terminal when this one is killed. */
struct outer_state {
	bool raw;
	struct termios saved, ours;
};

struct outer {
	int fd;
	bool input; /* it is also read; else only written to, and left as it is */
	/* the door's output goes elsewhere, through programs that write to the terminal too */
	bool shared;
	int alive; /* the guard sees this end close */
	struct outer_state *state;
};

/* Starts the guard.  0 or -errno. */
int outer_open(struct outer *o, int fd, bool input, bool shared);

/* May it be read, and set?  Where there is no job control for it: always. */
bool outer_foreground(const struct outer *o);

/* Saves what it is now and makes it raw; again after it was somebody else's for a while. */
void outer_raw(struct outer *o);

/* Settings and size onto the pty behind `master`. */
void outer_copy(const struct outer *o, int master);
void outer_copy_size(const struct outer *o, int master);

/* What was typed and not read is dropped: it was not meant for whoever reads next. */
void outer_restore(struct outer *o);

#endif
