#include "config.h"
#include "launcher/clsecured/serve.h"

#include <errno.h>

int gateway_person(struct request *r, struct error *e)
{
	return error_set(e, -EPERM, "the gateway is not in this version");
}
