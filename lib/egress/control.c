#include "config.h"
#include "lib/egress/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

static const char *const reasons[EGRESS_REASONS_] = {
	[EGRESS_ALLOWED] = "allowed",
	[EGRESS_LEARNED] = "learned",
	[EGRESS_WAITING] = "waits for an answer",
	[EGRESS_NOT_LISTED] = "no rule allows it",
	[EGRESS_PORT] = "no rule allows this port",
	[EGRESS_DENIED] = "a rule denies it",
	[EGRESS_BAD_NAME] = "not a name",
	[EGRESS_FORBIDDEN] = "its address is not public",
	[EGRESS_OTHER_NAME] = "another name was said on the connection",
	[EGRESS_NO_NAME] = "TLS did not say a name that can be read",
	[EGRESS_PROTOCOL] = "neither TLS nor HTTP as it should be",
	[EGRESS_REFUSED] = "the answer was no",
	[EGRESS_LIMIT] = "too many at once",
	[EGRESS_RAW] = "no rule allows this address",
	[EGRESS_UNKNOWN] = "there is no such name",
	[EGRESS_RESOLVER] = "the host's resolver failed",
	[EGRESS_UPSTREAM] = "it cannot be reached",
};

const char *egress_reason_text(uint32_t reason)
{
	return reason < EGRESS_REASONS_ && reasons[reason] ? reasons[reason] : "unknown";
}

static bool is_text(char *text, size_t size)
{
	if (memchr(text, 0, size) == NULL)
		return false;
	text_clean(text);
	return true;
}

int egress_records(void *reply, size_t size, const struct egress_record **ret, size_t *ret_n)
{
	struct egress_reply *head = reply;
	struct egress_record *records;
	size_t n;

	if (size < sizeof(*head) || head->version != EGRESS_VERSION || head->op != EGRESS_LOG ||
		head->status < 0 || (size - sizeof(*head)) % sizeof(*records) != 0)
		return -EPROTO;
	records = (struct egress_record *)(head + 1);
	n = (size - sizeof(*head)) / sizeof(*records);
	for (size_t i = 0; i < n; i++) {
		struct egress_record *r = &records[i];

		if (r->reason == 0 || r->reason >= EGRESS_REASONS_ ||
			!is_text(r->name, sizeof(r->name)) || !is_text(r->rule, sizeof(r->rule)) ||
			!is_text(r->detail, sizeof(r->detail)))
			return -EPROTO;
	}
	*ret = records;
	*ret_n = n;
	return 0;
}

int egress_send(int fd, enum egress_op op, uint64_t from, const char *text, size_t text_size)
{
	struct egress_request head = {.version = EGRESS_VERSION, .op = op, .from = from};
	struct iovec iov[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)text, text_size}};
	struct msghdr h = {.msg_iov = iov, .msg_iovlen = text_size > 0 ? 2 : 1};
	ssize_t n;

	if (text_size > EGRESS_MESSAGE_MAX - sizeof(head))
		return -EMSGSIZE;
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
