/*
 * Who comes through the gateway: not the peer, which is the same user for everybody, but the person
 * whose key the ticket names, found anew in that person's own file.
 */
#include "config.h"
#include "launcher/clsecured/serve.h"

#include <errno.h>

#include "launcher/clsecure-keys/keyusers.h"
#include "launcher/clsecured/ticket.h"
#include "lib/base/names.h"

int gateway_person(struct request *r, struct error *e)
{
	const char *ticket = message_get(r->m, "ticket"), *slug = message_get(r->m, "project");
	uint8_t fp[FINGERPRINT_SIZE];
	int err;

	if (!ticket)
		return error_set(e, -EACCES,
			"the gateway opens nothing without the ticket of an ssh connection");
	if (slug && !slug_valid(slug))
		return error_set(e, -EINVAL, "'%s' is no project's name", slug);
	err = ticket_use(ticket, fp, e);
	return err < 0 ? err : keyusers_with_key(fp, slug, &r->who, e);
}
