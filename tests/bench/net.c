/*
 * The two ends of a connection that is measured.
 *
 *	net serve ADDRESS			7001 sends as many bytes as it is asked for, 7002 echoes
 *	net get ADDRESS STREAMS BYTES [PROXY]	for each line: the time of so many streams at once,
 *						BYTES of them all
 *	net touch ADDRESS STREAMS [PROXY]	for each line: the mean time of a connection, a byte
 *						there and back, one after the other
 *
 * PROXY is the address of an HTTP proxy at port 8888, and ADDRESS what it is asked for.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SOURCE = 7001, ECHO = 7002, PROXY = 8888, PIECE = 1 << 20 };

static const char *address, *proxy;
static uint64_t share;

static struct sockaddr_in place(const char *text, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		errx(1, "%s is no address", text);
	return a;
}

static void quick(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* --- the server */

static void *source(void *arg)
{
	static char bytes[PIECE];
	int fd = (int)(intptr_t)arg;
	uint64_t left = 0;

	if (recv(fd, &left, sizeof(left), MSG_WAITALL) != sizeof(left))
		left = 0;
	while (left > 0) {
		ssize_t n = send(fd, bytes, left < PIECE ? left : PIECE, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		left -= (uint64_t)n;
	}
	close(fd);
	return NULL;
}

static void *echo(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char byte;

	while (recv(fd, &byte, 1, 0) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1)
		;
	close(fd);
	return NULL;
}

static void *serve(void *arg)
{
	int port = (int)(intptr_t)arg, on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a = place(address, port);
	pthread_attr_t attr;

	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s, 4096) < 0)
		err(1, "cannot listen at %s:%d", address, port);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (;;) {
		pthread_t t;
		int c = accept(s, NULL, NULL);

		if (c < 0)
			continue;
		quick(c);
		if (pthread_create(&t, &attr, port == SOURCE ? source : echo,
			    (void *)(intptr_t)c) != 0)
			close(c);
	}
}

/* --- the client */

static void ask_proxy(int fd, int port)
{
	char text[256];
	size_t n = (size_t)snprintf(text, sizeof(text),
		"CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n\r\n", address, port, address, port);

	if (send(fd, text, n, 0) != (ssize_t)n)
		err(1, "the proxy");
	for (n = 0; n < sizeof(text) - 1; n++) {
		if (recv(fd, text + n, 1, 0) != 1)
			errx(1, "the proxy ended");
		if (n >= 3 && memcmp(text + n - 3, "\r\n\r\n", 4) == 0)
			break;
	}
	if (!memmem(text, n, " 200 ", 5))
		errx(1, "the proxy: %.*s", (int)n, text);
}

static int dial(int port)
{
	struct sockaddr_in a = place(proxy ? proxy : address, proxy ? PROXY : port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	quick(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		err(1, "cannot connect to %s", address);
	if (proxy)
		ask_proxy(fd, port);
	return fd;
}

static void *get(void *unused __attribute__((unused)))
{
	char *bytes = malloc(PIECE);
	int fd = dial(SOURCE);
	uint64_t got = 0;
	ssize_t n = 0;

	if (!bytes || send(fd, &share, sizeof(share), 0) != sizeof(share))
		err(1, "cannot ask");
	while (got < share && (n = recv(fd, bytes, PIECE, 0)) > 0)
		got += (uint64_t)n;
	if (got != share)
		errx(1, "%ju bytes of %ju", (uintmax_t)got, (uintmax_t)share);
	close(fd);
	free(bytes);
	return NULL;
}

static void touch(void)
{
	int fd = dial(ECHO);
	char byte = 'x';

	if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
		err(1, "no echo");
	close(fd);
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t get_all(int streams)
{
	pthread_t threads[1000];
	int64_t began = now();

	for (int i = 0; i < streams; i++)
		if (pthread_create(&threads[i], NULL, get, NULL) != 0)
			errx(1, "no more threads");
	for (int i = 0; i < streams; i++)
		pthread_join(threads[i], NULL);
	return now() - began;
}

static int64_t touch_all(int streams)
{
	int64_t began = now();

	for (int i = 0; i < streams; i++)
		touch();
	return (now() - began) / streams;
}

int main(int argc, char **argv)
{
	int streams = argc > 3 ? atoi(argv[3]) : 0;
	char line[16];

	signal(SIGPIPE, SIG_IGN);
	if (argc < 3)
		errx(2, "see its source");
	address = argv[2];
	if (strcmp(argv[1], "serve") == 0) {
		pthread_t t;

		if (pthread_create(&t, NULL, serve, (void *)(intptr_t)ECHO) != 0)
			errx(1, "no more threads");
		serve((void *)(intptr_t)SOURCE);
	}
	if (streams < 1 || streams > 1000)
		errx(2, "1 to 1000 streams");
	if (strcmp(argv[1], "get") == 0 && argc > 4) {
		share = strtoull(argv[4], NULL, 10) / (unsigned)streams;
		proxy = argc > 5 ? argv[5] : NULL;
	} else {
		proxy = argc > 4 ? argv[4] : NULL;
	}
	while (fgets(line, sizeof(line), stdin)) {
		printf("%jd\n", (intmax_t)(share ? get_all(streams) : touch_all(streams)));
		fflush(stdout);
	}
	return 0;
}
