/*
 * What is said between the keeper of a sandbox and its clsecure-egress.
 *
 * The keeper makes the sockets below inside the sandbox's network namespace, keeps copies of them,
 * and execs EGRESS_PROGRAM without arguments, as clsecure-egress, without capabilities, 0-2 on
 * /dev/null.  Should it end, the copies are there for the next one; what comes meanwhile waits in
 * the listeners' queues.  The end of the control socket ends it.
 *
 * EGRESS_READY comes first, once its filter is on.  Until the first EGRESS_POLICY everything is
 * refused.  Then one message is one request and gets one reply, in order; EGRESS_CHANGED may come
 * between, at any time.  A message is a header of fixed size and what follows it, at most
 * EGRESS_MESSAGE_MAX bytes together.  The keeper believes nothing of what it is told
 * (egress_records()): this process talks to strangers.
 */
#ifndef CLSECURE_EGRESS_CONTROL_H
#define CLSECURE_EGRESS_CONTROL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define EGRESS_VERSION 1
#define EGRESS_PROGRAM CLSECURE_LIBEXECDIR "/clsecure-egress"
#define EGRESS_MESSAGE_MAX 65536

enum egress_fd {
	EGRESS_FD_CONTROL = 3, /* AF_UNIX, SOCK_SEQPACKET */
	/*
	 * Listens; TCP to the pool and to host ports is steered to it (lib/sandbox/filtered.h):
	 * getsockname() of what it accepts is the address that the connection was made to.
	 */
	EGRESS_FD_TCP,
	EGRESS_FD_DNS_UDP, /* bound to 127.0.0.53:53 */
	EGRESS_FD_DNS_TCP, /* listens on the same */
	EGRESS_FD_PROXY, /* listens on EGRESS_PROXY_ADDRESS; HTTP and SOCKS5 on the same port */
	EGRESS_FD_TCP6, /* optional: as EGRESS_FD_TCP, for host ports at ::1 */
};

/* The pool, which is local inside; addresses below EGRESS_POOL_FIRST stand for no name. */
#define EGRESS_POOL_NET 0xc6120000U /* 198.18.0.0 */
#define EGRESS_POOL_PREFIX 15
#define EGRESS_POOL_FIRST 0xc6120010U
#define EGRESS_DNS_ADDRESS "127.0.0.53"
#define EGRESS_PROXY_ADDRESS "198.18.0.1"
#define EGRESS_PROXY_PORT 3128

enum egress_op {
	/*
	 * The whole policy, as text; it takes the place of the one before, at once, or, with a line
	 * that cannot be read, of nothing (status -EINVAL and the reason as text).  Connections to
	 * what it does not allow any more end.  Lines, in any order:
	 *	allow RULE [LABEL]	RULE as the person wrote it (decide.h); LABEL, as @claude,
	 *	deny RULE [LABEL]	is for people
	 *	hostport N		a TCP port of the host's loopback
	 *	strict yes|no		StrictNames=, yes if not said
	 *	learn yes|no		allow what no rule names, and record it so; no if not said
	 *	ask yes|no		hold what no rule names for EGRESS_ASK_MS; no if not said
	 */
	EGRESS_POLICY = 1,
	/*
	 * What was reached and refused: the records that changed after the change number `from`
	 * (0: all), oldest change first.  `next` is what to ask from next; status 1: there is more.
	 */
	EGRESS_LOG,
	/* The answer to what waits is no; text: NAME PORT.  Yes is a policy that allows it. */
	EGRESS_REFUSE,
	/* From egress alone; headers without more. */
	EGRESS_READY,
	EGRESS_CHANGED, /* there is more to read by EGRESS_LOG; once, until that is asked */
};

#define EGRESS_ASK_MS 60000

struct egress_request {
	uint32_t version, op;
	uint64_t from;
};

struct egress_reply {
	uint32_t version, op; /* the request's */
	int32_t status; /* 0, 1: there is more, or -errno and the reason as text */
	uint32_t reserved;
	uint64_t next;
};

enum egress_reason {
	EGRESS_ALLOWED = 1, /* by .rule */
	EGRESS_LEARNED, /* no rule, but learn */
	EGRESS_WAITING, /* no rule, but ask: a connection waits for the answer */
	/* refused */
	EGRESS_NOT_LISTED, /* no rule allows this name */
	EGRESS_PORT, /* rules allow this name, at other ports */
	EGRESS_DENIED, /* by .rule */
	EGRESS_BAD_NAME, /* .detail */
	EGRESS_FORBIDDEN, /* the name's address is .detail, which only a rule of its own allows */
	EGRESS_OTHER_NAME, /* the first bytes said .detail instead */
	EGRESS_NO_NAME, /* TLS without a name, or with an encrypted one */
	EGRESS_PROTOCOL, /* neither TLS nor HTTP where strict wants one of them, or broken */
	EGRESS_REFUSED, /* asked, and answered by no */
	EGRESS_LIMIT, /* too many at once */
	EGRESS_RAW, /* an address instead of a name, which no rule allows */
	/* allowed, and failed: .detail */
	EGRESS_UNKNOWN, /* the host's resolver knows no such name */
	EGRESS_RESOLVER, /* the host's resolver failed or is slow */
	EGRESS_UPSTREAM, /* nobody answers there, or it refuses */
	EGRESS_REASONS_,
};

static inline int egress_is_refusal(uint32_t reason)
{
	return reason >= EGRESS_NOT_LISTED && reason <= EGRESS_RAW;
}

/* What happened to one name at one port for one reason. */
struct egress_record {
	uint64_t change; /* its last change */
	uint64_t first, last; /* seconds since the epoch */
	uint64_t sent, received; /* bytes, as seen from inside */
	uint32_t count, open; /* connections or questions; how many are open now */
	uint32_t reason; /* enum egress_reason */
	uint16_t port; /* 0: only the name was asked for */
	uint16_t reserved;
	char name[256]; /* canonical; an address; or what was said, cleaned, if it is neither */
	char rule[288]; /* the rule that decided, as it was written */
	char detail[128];
};

/* "allowed", "not in the list"...: a few words; for a number that is none, "unknown". */
const char *egress_reason_text(uint32_t reason);

/*
 * The records of a reply that came as `size` bytes, in place and checked: text ends and is clean,
 * the port and the reason are what they can be.  -EPROTO: it is no such reply.
 */
int egress_records(void *reply, size_t size, const struct egress_record **ret, size_t *ret_n);

/* Sends one request, with text_size bytes of text.  0 or -errno. */
int egress_send(int fd, enum egress_op op, uint64_t from, const char *text, size_t text_size);

#endif
