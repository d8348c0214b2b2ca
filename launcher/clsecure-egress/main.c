#include "config.h"
#include "launcher/clsecure-egress/egress.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

struct egress egress = {.conns = LIST_HEAD_INITIALIZER(egress.conns)};

#define SLICE_MS 20
#define SLICE_EVENTS 16

static struct event tick;

uint64_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

static void on_tick(evutil_socket_t fd, short events, void *arg)
{
	uint64_t now = seconds();

	resolver_tick(now);
	stub_tick(now);
	conns_tick(now);
	control_tick();
}

static int check_descriptors(void)
{
	for (int fd = EGRESS_FD_CONTROL; fd <= EGRESS_FD_PROXY; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
			return -EBADF;
	}
	egress.tcp6 = fcntl(EGRESS_FD_TCP6, F_GETFL) >= 0 &&
		fcntl(EGRESS_FD_TCP6, F_SETFL, O_RDWR | O_NONBLOCK) == 0;
	return 0;
}

static int prepare(struct error *e)
{
	struct event_config *config = event_config_new();
	struct timeval second = {.tv_sec = 1}, slice = {.tv_usec = SLICE_MS * 1000};

	if (!config)
		return error_set(e, -ENOMEM, "out of memory");
	if (check_descriptors() < 0)
		return error_set(e, -EBADF, "only clsecure-keeper starts this");
	syscall(SYS_close_range, EGRESS_FD_TCP6 + 1, ~0U, 0);
	signal(SIGPIPE, SIG_IGN);
	/* Every name is asked for as it is: no name of the host's own domains is meant. */
	setenv("LOCALDOMAIN", ".", 1);
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	/* The keeper is answered soon, however many connections have bytes. */
	event_config_set_max_dispatch_interval(config, &slice, SLICE_EVENTS, 1);
	egress.base = event_base_new_with_config(config);
	event_config_free(config);
	egress.pool = egress_pool_new();
	if (!egress.base || !egress.pool || event_base_priority_init(egress.base, 2) < 0)
		return error_set(e, -ENOMEM, "out of memory");
	event_assign(&tick, egress.base, -1, EV_PERSIST, on_tick, NULL);
	event_priority_set(&tick, 0);
	event_add(&tick, &second);
	if (resolver_init() < 0 || relay_init() < 0)
		return error_set(e, -ENOMEM, "out of memory");
	return confine(e);
}

int main(int argc, char **argv)
{
	struct error e = {0};

	tzset();
	if (prepare(&e) < 0 || stub_init() < 0 || doors_init() < 0 || control_init() < 0) {
		fprintf(stderr, "clsecure-egress: %s\n", e.text[0] ? e.text : "out of memory");
		return 1;
	}
	event_base_dispatch(egress.base);
	return 0;
}
