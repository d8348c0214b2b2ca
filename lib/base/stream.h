/* What may be a standard stream of a program in another network namespace. */
#ifndef CLSECURE_STREAM_H
#define CLSECURE_STREAM_H

#include <stdbool.h>

/*
 * A socket stays in the network namespace that it was made in, and most can be connected anew: who
 * holds one reaches what is there, whatever namespace he is in.  Not so a UNIX stream that is
 * connected, which is that for ever, as a pipe.  False for what is no socket; true when in doubt.
 */
bool stream_leads_out(int fd);

#endif
