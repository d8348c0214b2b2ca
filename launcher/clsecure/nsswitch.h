/* /etc/nsswitch.conf: `clsecure` last on the lines of passwd, group and shadow.  Pure. */
#ifndef CLSECURE_NSSWITCH_H
#define CLSECURE_NSSWITCH_H

#include "launcher/clsecure/lines.h"
#include "lib/base/error.h"

/*
 * Takes the word out everywhere, and with `add` puts it in: at the end of each line, so that nobody
 * else's look-up changes; before a source whose [...=return] would keep a look-up from reaching the
 * end. A missing line is made with the sources that glibc takes then (`files`), and carries our
 * mark. -EOPNOTSUPP: such a rule stands after the first source; the words say what to do.
 */
int nsswitch_edit(struct lines *l, bool add, struct error *e);

/* For doctor: 0; -ENOENT: not on the line of `database`; -EOPNOTSUPP: never reached there. */
int nsswitch_check(const struct lines *l, const char *database);

extern const char *const nsswitch_databases[]; /* NULL-terminated */

#endif
