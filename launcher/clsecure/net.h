/* What a project's network reached and refused, as clsecured tells it. */
#ifndef CLSECURE_NET_H
#define CLSECURE_NET_H

#include "launcher/clsecure/rows.h"

/* The last row says of the whole: project, network, runs, next.  0, or the exit status. */
int net_ask(const struct cli *c, const char *word, const char *from, struct rows *ret_rows);

/* As AllowDomains= wants it: NAME at its usual ports, else NAME:PORT.  Owned, or NULL. */
char *net_rule(const char *name, const char *port);

/* Adds to AllowDomains=.  The exit status. */
int net_allow(const struct cli *c, const char *word, char *const *rules, size_t n);

#endif
