/*
 * The host's resolver, by getaddrinfo(3) in threads.
 *
 * An answer is used for CACHE seconds, so that the connection that follows a question does not ask
 * again; whether an address may be reached is decided at each connection anew.
 */
#include "config.h"
#include "launcher/clsecure-egress/egress.h"
#include "lib/egress/forbidden.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define CACHE 5
#define CACHE_NONE 2
#define THREADS 16
#define LOOKUPS 1024
#define NAT64_SECONDS 600 /* what the site translates is believed so long; */
#define NAT64_AGAIN 10 /* where nobody answered, tried again after this */
#define NAT64_PREFIXES 4
#define STACK (256 * 1024)

struct lookup {
	TAILQ_ENTRY(lookup) entry; /* of all */
	STAILQ_ENTRY(lookup) work; /* in the queue, or among the finished; under the lock */
	TAILQ_HEAD(waiters, waiter) waiters;
	char name[EGRESS_NAME_MAX + 1];
	bool running;
	uint64_t until;
	struct found found;
};

STAILQ_HEAD(work, lookup);

static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct work queue, finished;
	unsigned threads, idle;
	int wake;
	struct event ev;
	size_t n;
	TAILQ_HEAD(lookups, lookup) all;
} r = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.queue = STAILQ_HEAD_INITIALIZER(r.queue),
	.finished = STAILQ_HEAD_INITIALIZER(r.finished),
	.all = TAILQ_HEAD_INITIALIZER(r.all),
};

static enum lookup_status status_of(int eai)
{
	switch (eai) {
	case 0:
		return LOOKUP_FOUND;
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return LOOKUP_NO_NAME;
	default:
		return LOOKUP_FAILED;
	}
}

static void ask(const char *name, struct found *f)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;

	*f = (struct found){.status = status_of(getaddrinfo(name, NULL, &hints, &list))};
	if (f->status != LOOKUP_FOUND)
		return;
	for (struct addrinfo *a = list; a && f->n < LOOKUP_ADDRESSES; a = a->ai_next) {
		uint16_t port;

		if (egress_address_from(a->ai_addr, &f->addresses[f->n], &port) == 0)
			f->n++;
	}
	freeaddrinfo(list);
	if (f->n == 0)
		f->status = LOOKUP_NO_NAME;
}

/* Under the lock; written by whichever thread finds it too old. */
static struct {
	uint64_t until;
	size_t n;
	struct egress_prefix prefixes[NAT64_PREFIXES];
} site;

/* Nobody asks where there is no IPv6: only what has such an address needs to know. */
static void learn_nat64(void)
{
	struct addrinfo hints = {.ai_family = AF_INET6, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	enum lookup_status status;
	size_t n = 0;

	pthread_mutex_lock(&r.lock);
	if (site.until > seconds()) {
		pthread_mutex_unlock(&r.lock);
		return;
	}
	pthread_mutex_unlock(&r.lock);
	status = status_of(getaddrinfo("ipv4only.arpa", NULL, &hints, &list));
	pthread_mutex_lock(&r.lock);
	for (struct addrinfo *a = list; a && n < NAT64_PREFIXES; a = a->ai_next) {
		struct egress_address address;
		uint16_t port;

		if (egress_address_from(a->ai_addr, &address, &port) == 0 &&
			egress_nat64(&address, &site.prefixes[n]))
			n++;
	}
	if (status != LOOKUP_FAILED)
		site.n = n;
	site.until = seconds() + (status == LOOKUP_FAILED ? NAT64_AGAIN : NAT64_SECONDS);
	pthread_mutex_unlock(&r.lock);
	if (list)
		freeaddrinfo(list);
}

bool address_forbidden(const struct egress_address *a)
{
	bool translated = false;

	if (egress_forbidden(a) || egress_address_own(a))
		return true;
	pthread_mutex_lock(&r.lock);
	for (size_t i = 0; i < site.n; i++)
		translated = translated || egress_in_prefix(a, &site.prefixes[i]);
	pthread_mutex_unlock(&r.lock);
	return translated;
}

static void *work(void *arg)
{
	pthread_mutex_lock(&r.lock);
	for (;;) {
		struct lookup *l;

		r.idle++;
		while (STAILQ_EMPTY(&r.queue))
			pthread_cond_wait(&r.more, &r.lock);
		r.idle--;
		l = STAILQ_FIRST(&r.queue);
		STAILQ_REMOVE_HEAD(&r.queue, work);
		pthread_mutex_unlock(&r.lock);
		ask(l->name, &l->found);
		for (size_t i = 0; i < l->found.n; i++)
			if (l->found.addresses[i].family == AF_INET6) {
				learn_nat64();
				break;
			}
		pthread_mutex_lock(&r.lock);
		STAILQ_INSERT_TAIL(&r.finished, l, work);
		eventfd_write(r.wake, 1);
	}
	return NULL;
}

/* Under the lock. */
static void more_threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (r.idle > 0 || r.threads >= THREADS)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, work, NULL) == 0)
		r.threads++;
	pthread_attr_destroy(&attr);
}

static void tell(struct waiter *w, const struct found *f)
{
	w->lookup = NULL;
	w->done(w, f);
}

static void forget(struct lookup *l)
{
	TAILQ_REMOVE(&r.all, l, entry);
	r.n--;
	free(l);
}

static void finish(struct lookup *l)
{
	/* who waits can ask again, and end others that wait */
	struct found f = l->found;
	struct waiter *w;

	l->running = false;
	l->until = seconds() + (f.status == LOOKUP_FOUND ? CACHE : CACHE_NONE);
	while ((w = TAILQ_FIRST(&l->waiters))) {
		TAILQ_REMOVE(&l->waiters, w, entry);
		tell(w, &f);
	}
	if (f.status == LOOKUP_FAILED)
		l->until = 0;
}

static void on_finished(evutil_socket_t fd, short events, void *arg)
{
	eventfd_t count;

	eventfd_read(fd, &count);
	for (;;) {
		struct lookup *l;

		pthread_mutex_lock(&r.lock);
		l = STAILQ_FIRST(&r.finished);
		if (l)
			STAILQ_REMOVE_HEAD(&r.finished, work);
		pthread_mutex_unlock(&r.lock);
		if (!l)
			return;
		finish(l);
	}
}

int resolver_init(void)
{
	r.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r.wake < 0)
		return -errno;
	event_assign(&r.ev, egress.base, r.wake, EV_READ | EV_PERSIST, on_finished, NULL);
	event_priority_set(&r.ev, 0);
	return event_add(&r.ev, NULL) < 0 ? -ENOMEM : 0;
}

void resolver_tick(uint64_t now)
{
	struct lookup *next;

	for (struct lookup *l = TAILQ_FIRST(&r.all); l; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (!l->running && l->until <= now)
			forget(l);
	}
}

static struct lookup *find(const char *name)
{
	uint64_t now = seconds();
	struct lookup *l;

	TAILQ_FOREACH(l, &r.all, entry)
		if ((l->running || l->until > now) && streq(l->name, name))
			return l;
	return NULL;
}

static struct lookup *begin(const char *name)
{
	struct lookup *l = r.n < LOOKUPS ? calloc(1, sizeof(*l)) : NULL;

	if (!l)
		return NULL;
	TAILQ_INIT(&l->waiters);
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->running = true;
	TAILQ_INSERT_HEAD(&r.all, l, entry);
	r.n++;
	pthread_mutex_lock(&r.lock);
	STAILQ_INSERT_TAIL(&r.queue, l, work);
	more_threads();
	pthread_cond_signal(&r.more);
	pthread_mutex_unlock(&r.lock);
	return l;
}

void lookup(struct waiter *w, const char *name)
{
	static const struct found failed = {.status = LOOKUP_FAILED};
	struct lookup *l = find(name) ?: begin(name);

	if (!l) {
		tell(w, &failed);
	} else if (!l->running) {
		struct found f = l->found;

		tell(w, &f);
	} else {
		w->lookup = l;
		TAILQ_INSERT_TAIL(&l->waiters, w, entry);
	}
}

void lookup_cancel(struct waiter *w)
{
	if (!w->lookup)
		return;
	TAILQ_REMOVE(&w->lookup->waiters, w, entry);
	w->lookup = NULL;
}
