/* Hostile bytes as what is said to a proxy; what is rewritten is a request for the same host. */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/egress/http.h"
#include "lib/egress/proxy.h"
#include "lib/egress/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void rewritten(const char *data, const struct proxy_request *r)
{
	_cleanup_free_ char *text = NULL;
	enum egress_reason reason;
	struct http_head h;
	struct sniff s;
	struct error e;
	size_t n, passed = 0;

	text = proxy_rewrite(data, r, &n);
	must(text != NULL);
	must(http_head_parse(text, n, &h, &e) == 0 && h.size == n);
	if (r->name.address.family != 0)
		return;
	sniff_begin(&s, r->name.text, true);
	if (sniff_client(&s, text, n, &passed, &reason, &e) == 0)
		must(passed == n);
	else
		must(reason != EGRESS_OTHER_NAME);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *data = (const char *)bytes + 1;
	struct proxy_request r;
	struct error e = {0};
	int err;

	if (size < 1)
		return 0;
	err = proxy_parse(data, size - 1, bytes[0] == 's', &r, &e);
	if (err == -EINVAL)
		must(e.text[0] != '\0');
	if (err < 0)
		return 0;
	must(r.size <= size - 1);
	if (r.kind != PROXY_SOCKS_GREETING)
		must(r.name.text[0] != '\0' && r.port != 0);
	if (r.kind == PROXY_HTTP)
		rewritten(data, &r);
	return 0;
}
