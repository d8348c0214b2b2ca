#include "config.h"
#include "launcher/clsecure/pump.h"

#include <errno.h>
#include <limits.h>

void pump_poll(const struct pump *p, struct pollfd fds[static 2])
{
	bool room = p->end < PUMP_SIZE, waits = p->end > p->start;

	fds[0] = (struct pollfd){
		.fd = room && !p->ended && !p->broken ? p->from : -1, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = waits && !p->broken ? p->to : -1, .events = POLLOUT};
}

bool pump_idle(const struct pump *p)
{
	return p->broken || p->to < 0 || p->start == p->end;
}

static void pump_read(struct pump *p)
{
	ssize_t n = read(p->from, p->data + p->end, PUMP_SIZE - p->end);

	if (n > 0) {
		p->escapes |= memchr(p->data + p->end, '\033', (size_t)n) != NULL;
		p->end += (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		p->ended = true; /* a terminal's other end that is closed is EIO */
}

static void pump_write(struct pump *p)
{
	size_t waits = p->end - p->start;
	/* POLLOUT promises that so many bytes do not block, and no more. */
	ssize_t n = write(p->to, p->data + p->start, waits < PIPE_BUF ? waits : PIPE_BUF);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		p->broken = true;
	if (n > 0)
		p->start += (size_t)n;
	if (p->start == p->end)
		p->start = p->end = 0;
}

void pump_run(struct pump *p, const struct pollfd fds[static 2])
{
	if (fds[1].fd >= 0 && fds[1].revents)
		pump_write(p);
	if (fds[0].fd >= 0 && fds[0].revents)
		pump_read(p);
}
