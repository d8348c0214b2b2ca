/*
 * What children of the caller do first, in the handler of pthread_atfork(3): it has no argument, so
 * this is the one place of the module that keeps something outside of PAM's data.
 */
#ifndef CLSECURE_PAM_FORK_H
#define CLSECURE_PAM_FORK_H

/*
 * A child takes the terminal on `fd` as its controlling one, unless it holds a pty's master of the
 * sandbox and so brings its own (su --pty).  For comfort: job control and ^C; safety does not hang
 * on it.  -1: no more.
 */
void fork_take_terminal(int fd);

/*
 * A refused session of sshd has one more child, which is to say why and to end.  A client without a
 * command (ssh -N) never makes it end: it gets an alarm.
 */
void fork_expire_children(void);

#endif
