/* What can be set, but will do nothing as things stand: said, not refused. */
#ifndef CLSECURE_DOUBTS_H
#define CLSECURE_DOUBTS_H

#include "launcher/clsecured/serve.h"

/*
 * Notes for who asks, on those settings of the project that the assignments name: users and groups
 * that there are not, a shell that is not there inside.  Where it cannot be told, nothing is said.
 */
void doubts_tell(struct request *r, const char *slug, char *const *assignments);

#endif
