/*
 * Persons and as_person().  As a plain user the ids cannot change, and everything else is tested;
 * as root the child becomes nobody, and what only root has is seen to be gone.
 */
#include "config.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/names.h"
#include "lib/base/person.h"

#define TIMEOUT 5000

static struct person who;

static int setup(void **state)
{
	struct person p = {.uid = getuid(), .gid = getgid(), .name = "tester", .home = "/tmp"};

	if (getuid() == 0)
		p.uid = p.gid = 65534;
	p.groups = malloc(sizeof(gid_t));
	p.groups[0] = p.gid;
	p.n_groups = 1;
	who = p;
	return 0;
}

static int teardown(void **state)
{
	person_done(&who);
	return 0;
}

/* A line of /proc/self/status. */
static void status_line(const char *key, char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	buf[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			snprintf(buf, size, "%s", line + strlen(key) + 2);
}

/* Each check that does not hold adds its name to the words. */
struct seen {
	char wrong[256];
	uid_t ruid, euid, suid;
	gid_t gid;
};

static void want(struct seen *s, bool ok, const char *what)
{
	if (!ok)
		strncat(s->wrong, what, sizeof(s->wrong) - strlen(s->wrong) - 1);
}

static int look_round(void *arg, struct person_out *out, struct error *e)
{
	static const char *const caps[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
	struct seen s = {0};
	struct sigaction sa;
	struct rlimit rl;
	char line[256];
	int open_fds = 0;

	getresuid(&s.ruid, &s.euid, &s.suid);
	s.gid = getegid();
	for (size_t i = 0; i < ELEMENTSOF(caps); i++) {
		status_line(caps[i], line, sizeof(line));
		want(&s, strtoull(line, NULL, 16) == 0, caps[i]);
	}
	status_line("SigBlk", line, sizeof(line));
	want(&s, strtoull(line, NULL, 16) == 0, " SigBlk");
	status_line("SigCgt", line, sizeof(line));
	want(&s, strtoull(line, NULL, 16) == 0, " SigCgt");
	sigaction(SIGUSR1, NULL, &sa);
	want(&s, sa.sa_handler == SIG_DFL, " SIGUSR1");
	want(&s, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, " no_new_privs");
	want(&s, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, " dumpable");
	want(&s, getrlimit(RLIMIT_CPU, &rl) == 0 && rl.rlim_max <= TIMEOUT / 1000 + 1, " cpu");
	want(&s, getrlimit(RLIMIT_CORE, &rl) == 0 && rl.rlim_max == 0, " core");
	for (int fd = 3; fd < 1024; fd++)
		open_fds += fcntl(fd, F_GETFD) >= 0;
	want(&s, open_fds == 2, " descriptors"); /* the answer's and keep */
	want(&s, fcntl(*(int *)arg, F_GETFD) == FD_CLOEXEC, " keep");
	want(&s, getenv("SECRET") == NULL, " environment");
	want(&s, getsid(0) == getpid(), " session");
	return person_answer(out, &s, sizeof(s));
}

static void on_signal(int sig)
{
}

static void becomes_the_person(void **state)
{
	struct person_reply r;
	struct error e = {0};
	struct seen s;
	int keep = open("/dev/null", O_RDONLY | O_CLOEXEC), other = open("/dev/null", O_RDONLY),
	    err;

	signal(SIGUSR1, on_signal);
	setenv("SECRET", "of root", 1);
	err = as_person(&who, look_round, &keep, keep, TIMEOUT, &r, &e);
	assert_string_equal(e.text, "");
	assert_int_equal(err, 0);
	assert_int_equal(r.result, 0);
	assert_int_equal(r.size, sizeof(s));
	memcpy(&s, r.data, sizeof(s));
	assert_string_equal(s.wrong, "");
	assert_int_equal(s.ruid, who.uid);
	assert_int_equal(s.euid, who.uid);
	assert_int_equal(s.suid, who.uid);
	assert_int_equal(s.gid, who.gid);
	person_reply_done(&r);
	close(keep);
	close(other);
	signal(SIGUSR1, SIG_DFL);
	unsetenv("SECRET");
}

static int root_things(void *arg, struct person_out *out, struct error *e)
{
	int fd = open(arg, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return error_set(e, -EPERM, "root's file opened");
	if (setuid(0) == 0 || setgid(0) == 0)
		return error_set(e, -EPERM, "root's ids came back");
	return 0;
}

/* Only root has something to lose. */
static void root_is_gone(void **state)
{
	char path[] = "/tmp/test-person-XXXXXX";
	struct person_reply r;
	int fd;

	if (getuid() != 0)
		skip();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(as_person(&who, root_things, path, -1, TIMEOUT, &r, NULL), 0);
	assert_string_equal(r.error.text, "");
	assert_int_equal(r.result, 0);
	person_reply_done(&r);
	unlink(path);
	close(fd);
}

static void another_person_needs_root(void **state)
{
	struct person other = who;
	struct person_reply r = {.result = 77};
	struct error e = {0};

	if (getuid() == 0)
		skip();
	other.uid++;
	assert_int_equal(as_person(&other, root_things, NULL, -1, TIMEOUT, &r, &e), -EPERM);
	assert_int_equal(r.result, 77);
	assert_non_null(strstr(e.text, "cannot become that person"));
}

static int hang(void *arg, struct person_out *out, struct error *e)
{
	while (pause() < 0)
		;
	return 0;
}

static int die(void *arg, struct person_out *out, struct error *e)
{
	raise(SIGKILL);
	return 0;
}

static int stop(void *arg, struct person_out *out, struct error *e)
{
	raise(SIGSTOP);
	return 0;
}

static int fail_loudly(void *arg, struct person_out *out, struct error *e)
{
	return error_set(e, -EUCLEAN, "bad \033[0m");
}

static void children_that_fail(void **state)
{
	struct person_reply r = {.result = 77};
	struct error e = {0};

	assert_int_equal(as_person(&who, hang, NULL, -1, 100, &r, &e), -ETIMEDOUT);
	assert_int_equal(as_person(&who, stop, NULL, -1, 100, &r, &e), -ETIMEDOUT);
	assert_int_equal(as_person(&who, die, NULL, -1, TIMEOUT, &r, &e), -EPROTO);
	assert_int_equal(r.result, 77);
	assert_int_equal(as_person(&who, fail_loudly, NULL, -1, TIMEOUT, &r, &e), 0);
	assert_int_equal(r.result, -EUCLEAN);
	assert_string_equal(r.error.text, "bad ?[0m");
	person_reply_done(&r);
	/* every one of them was reaped */
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	assert_int_equal(errno, ECHILD);
}

static int answer_much(void *arg, struct person_out *out, struct error *e)
{
	char block[1024];
	int n = 0, fds = 0, null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	memset(block, 'x', sizeof(block));
	while (person_answer(out, block, sizeof(block)) == 0)
		n++;
	while (person_answer_fd(out, null) == 0)
		fds++;
	close(null);
	return n == PERSON_REPLY_MAX / 1024 && fds == PERSON_REPLY_FDS ? 0 : -ERANGE;
}

static void answers_are_bounded(void **state)
{
	struct person_reply r;

	assert_int_equal(as_person(&who, answer_much, NULL, -1, TIMEOUT, &r, NULL), 0);
	assert_int_equal(r.result, 0);
	assert_int_equal(r.size, PERSON_REPLY_MAX);
	assert_int_equal(r.data[r.size], '\0');
	assert_int_equal(r.n_fds, PERSON_REPLY_FDS);
	for (size_t i = 0; i < r.n_fds; i++)
		assert_int_equal(fcntl(r.fds[i], F_GETFD), FD_CLOEXEC);
	person_reply_done(&r);
}

static int allocate(void *arg, struct person_out *out, struct error *e)
{
	void *p = malloc(100000), *q = malloc(10);

	if (!p || !q)
		return -ENOMEM;
	free(p);
	free(q);
	return person_answer(out, "ok", 2);
}

static void sigchld_is_the_callers(void **state)
{
	struct person_reply r;
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);

	assert_int_equal(as_person(&who, allocate, NULL, -1, TIMEOUT, &r, NULL), 0);
	assert_int_equal(r.size, 2);
	person_reply_done(&r);
	assert_ptr_equal(signal(SIGCHLD, before), SIG_IGN);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

static _Atomic bool threads_end;

static void *churn(void *arg)
{
	while (!threads_end)
		free(malloc(200000 + (size_t)rand() % 1000));
	return NULL;
}

/* Their malloc is held at any moment: the child's must work. */
static void callers_with_threads(void **state)
{
	pthread_t t[4];

	for (size_t i = 0; i < ELEMENTSOF(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, NULL), 0);
	for (int i = 0; i < 50; i++) {
		struct person_reply r;

		assert_int_equal(as_person(&who, allocate, NULL, -1, TIMEOUT, &r, NULL), 0);
		assert_int_equal(r.result, 0);
		person_reply_done(&r);
	}
	threads_end = true;
	for (size_t i = 0; i < ELEMENTSOF(t); i++)
		pthread_join(t[i], NULL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

static void opens_only_what_fits(void **state)
{
	char dir[] = "/tmp/test-person-XXXXXX", path[128], link[128];
	struct error e = {0};
	int fd = -2;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(person_open("etc/passwd", O_RDONLY, S_IFREG, true, &fd, &e), -EINVAL);
	assert_int_equal(person_open(path, O_RDONLY, S_IFREG, true, &fd, &e), -EINVAL);
	assert_int_equal(person_open(dir, O_RDONLY, S_IFREG, true, &fd, &e), -EINVAL);
	assert_int_equal(person_open("/dev/null", O_RDONLY, 0, true, &fd, &e), -EINVAL);
	assert_int_equal(person_open(link, O_RDONLY, S_IFREG, false, &fd, &e), -ELOOP);
	assert_int_equal(person_open("/proc/self/root", O_RDONLY, S_IFDIR, true, &fd, &e), -ELOOP);
	assert_int_equal(person_open("/etc/passwd", O_RDONLY, S_IFDIR, false, &fd, &e), -ENOTDIR);
	assert_int_equal(fd, -2);
	assert_int_equal(person_open(link, O_RDONLY, S_IFREG, true, &fd, &e), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(person_open(dir, O_PATH, S_IFDIR, false, &fd, &e), 0);
	close(fd);
	unlink(path);
	unlink(link);
	rmdir(dir);
}

static void reads_whole_files(void **state)
{
	char path[] = "/tmp/test-person-XXXXXX";
	int fd = mkstemp(path), pipefd[2];
	char *data = NULL;
	size_t size = 0;

	unlink(path);
	assert_int_equal(read_whole(fd, 0, &data, &size), 0);
	assert_int_equal(size, 0);
	free(data);
	assert_int_equal(write(fd, "hello", 5), 5);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(read_whole(fd, 4, &data, &size), -EFBIG);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(read_whole(fd, 5, &data, &size), 0);
	assert_string_equal(data, "hello");
	free(data);
	close(fd);
	/* files that do not tell their size */
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read_whole(fd, 10, &data, &size), -EFBIG);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(read_whole(fd, 1 << 20, &data, &size), 0);
	assert_true(size > 100);
	free(data);
	close(fd);
	assert_int_equal(pipe(pipefd), 0);
	assert_int_equal(read_whole(pipefd[0], 10, &data, &size), -EINVAL);
	close(pipefd[0]);
	close(pipefd[1]);
}

static void people(void **state)
{
	struct person p = {0};
	struct error e = {0};

	assert_int_equal(person_by_uid(0, &p, &e), 0);
	assert_string_equal(p.name, "root");
	assert_true(person_in_group(&p, 0));
	assert_false(person_in_group(&p, 4242424));
	person_done(&p);
	assert_int_equal(person_by_name("root", &p, &e), 0);
	assert_int_equal(p.uid, 0);
	person_done(&p);
	assert_int_equal(person_by_name("no-such-user-here", &p, &e), -ENOENT);
	assert_int_equal(person_by_name("", &p, &e), -ENOENT);
	assert_int_equal(person_by_uid((uid_t)-1, &p, &e), -ENOENT);
	assert_int_equal(person_by_uid(4242424, &p, &e), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people),
		cmocka_unit_test(becomes_the_person),
		cmocka_unit_test(root_is_gone),
		cmocka_unit_test(another_person_needs_root),
		cmocka_unit_test(children_that_fail),
		cmocka_unit_test(answers_are_bounded),
		cmocka_unit_test(sigchld_is_the_callers),
		cmocka_unit_test(callers_with_threads),
		cmocka_unit_test(opens_only_what_fits),
		cmocka_unit_test(reads_whole_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
