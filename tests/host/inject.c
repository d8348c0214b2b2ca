/*
 * For tests: runs a program and makes one of the system calls fail that it and what it starts make.
 *
 *	inject NAME PROGRAM ARGUMENTS…	the program is run
 *	clsecure-keeper NAME		(a copy in the keeper's place) PLACE/keeper is run
 *
 * PLACE/NAME/which names the call: the process (from 0, as they were born), the call, its number
 * among the process's calls of that name, from 1 (0: none fails), and the errno; -9 instead kills
 * the process in the place of the call, and -99 all of them; without the file the program is run as
 * it is.  PLACE/NAME/calls gets a line for each call: the process, the call,
 * its number, and its path or its first two arguments; with '!' before what failed.
 *
 * A tracer, since a filter would be inherited by what is to be looked at.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE "/run/inject"
#define PROCESSES 1024
#define CALLS 600

static struct process {
	pid_t pid;
	bool failing, is_brk;
	unsigned long long argument; /* of a brk() that fails */
	unsigned calls[CALLS];
} processes[PROCESSES];
static size_t n_processes;

static size_t which_process;
static char which_call[64];
static unsigned which_number;
static int error;
static FILE *list;

static struct process *process_of(pid_t pid)
{
	for (size_t i = n_processes; i-- > 0;)
		if (processes[i].pid == pid)
			return &processes[i];
	if (n_processes == PROCESSES)
		exit(120);
	processes[n_processes] = (struct process){.pid = pid};
	return &processes[n_processes++];
}

/* Which argument of a call is a path. */
static int path_argument(const char *name)
{
	static const char *const first[] = {
		"open", "readlink", "execve", "access", "stat", "lstat", "chdir", "unlink", "mkdir"};
	static const char *const second[] = {"openat", "openat2", "newfstatat", "readlinkat",
		"faccessat", "faccessat2", "open_tree", "mkdirat", "unlinkat", "fchmodat", "statx"};

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (strcmp(first[i], name) == 0)
			return 0;
	for (size_t i = 0; i < sizeof(second) / sizeof(*second); i++)
		if (strcmp(second[i], name) == 0)
			return 1;
	return -1;
}

static void what_of(pid_t pid, const struct __ptrace_syscall_info *s, const char *name, char *text,
	size_t size)
{
	int at = path_argument(name);
	struct iovec ours = {text, size - 1}, theirs[2];
	size_t page;
	ssize_t n;

	snprintf(text, size, "-");
	if (at < 0) {
		snprintf(text, size, "%d,%d", (int)s->entry.args[0], (int)s->entry.args[1]);
		return;
	}
	/* up to the page's end, and on if there is another one */
	page = 4096 - s->entry.args[at] % 4096;
	page = page < size - 1 ? page : size - 1;
	theirs[0] = (struct iovec){(void *)(uintptr_t)s->entry.args[at], page};
	theirs[1] = (struct iovec){(char *)theirs[0].iov_base + page, size - 1 - page};
	n = process_vm_readv(pid, &ours, 1, theirs, 2, 0);
	if (n <= 0)
		return;
	text[n] = '\0';
	for (char *c = text; *c; c++)
		if (*c <= ' ')
			*c = '?';
}

#if defined(__x86_64__)
#define RESULT rax
#define FIRST_ARGUMENT rdi
#elif defined(__aarch64__)
#define RESULT regs[0]
#define FIRST_ARGUMENT regs[0]
#else
#error "which registers?"
#endif

/* Before the call: it becomes none. */
static void call_drop(pid_t pid)
{
#if defined(__x86_64__)
	struct user_regs_struct r;
	struct iovec v = {&r, sizeof(r)};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		return;
	r.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
#else
	int none = -1;
	struct iovec v = {&none, sizeof(none)};

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v);
#endif
}

static void register_set(pid_t pid, bool first_argument, unsigned long long value)
{
	struct user_regs_struct r;
	struct iovec v = {&r, sizeof(r)};

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) < 0)
		return;
	if (first_argument)
		r.FIRST_ARGUMENT = value;
	else
		r.RESULT = value;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v);
}

/* brk(2) has no errno: one that fails answers what the end of the heap is, as brk(0) does. */
static void fail(struct process *p, const struct __ptrace_syscall_info *s, const char *name)
{
	if (error == -99)
		exit(137); /* PTRACE_O_EXITKILL */
	if (error == -9) {
		kill(p->pid, SIGKILL);
		return;
	}
	p->is_brk = strcmp(name, "brk") == 0;
	p->argument = s->entry.args[0];
	if (p->is_brk)
		register_set(p->pid, true, 0);
	else
		call_drop(p->pid);
}

/* A call keeps its arguments' registers, where its result has another one. */
static void has_failed(const struct process *p)
{
	if (!p->is_brk)
		register_set(p->pid, false, (unsigned long long)-error);
#if defined(__x86_64__)
	else
		register_set(p->pid, true, p->argument);
#endif
}

static void on_entry(struct process *p, const struct __ptrace_syscall_info *s)
{
	char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), (int)s->entry.nr);
	size_t process = (size_t)(p - processes);
	unsigned number = s->entry.nr < CALLS ? ++p->calls[s->entry.nr] : 0;
	char what[128];

	if (!name)
		return;
	what_of(p->pid, s, name, what, sizeof(what));
	p->failing = process == which_process && number == which_number && number > 0 &&
		strcmp(name, which_call) == 0;
	fprintf(list, "%s%zu %s %u %s\n", p->failing ? "!" : "", process, name, number, what);
	fflush(list);
	if (p->failing)
		fail(p, s, name);
	free(name);
}

static void on_call(struct process *p)
{
	struct __ptrace_syscall_info s = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(s), &s) <= 0)
		return;
	if (s.op == PTRACE_SYSCALL_INFO_ENTRY) {
		on_entry(p, &s);
	} else if (s.op == PTRACE_SYSCALL_INFO_EXIT && p->failing) {
		has_failed(p);
		p->failing = false;
	}
}

/* Until the last of them has gone; the status is the first one's. */
static int trace(pid_t first)
{
	int status, result = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		int sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
		struct process *p;

		if (!WIFSTOPPED(status)) {
			if (pid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		p = process_of(pid);
		if (sig == (SIGTRAP | 0x80)) {
			on_call(p);
			sig = 0;
		} else if (status >> 16) {
			sig = 0; /* an event of ptrace's own */
		}
		ptrace(PTRACE_SYSCALL, pid, 0, sig);
	}
	return result;
}

static pid_t start(char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || ptrace(PTRACE_SEIZE, pid, 0, options) < 0)
		exit(121);
	return pid;
}

static FILE *place(const char *name, const char *file, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), PLACE "/%s/%s", name, file);
	return fopen(path, mode);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	bool keeper = strcmp(slash ? slash + 1 : argv[0], "clsecure-keeper") == 0;
	char **program = keeper ? argv : argv + 2;
	sigset_t none;
	FILE *f;
	pid_t pid;

	if (argc < (keeper ? 2 : 3))
		return 2;
	if (keeper)
		argv[0] = (char *)PLACE "/keeper";
	f = place(argv[1], "which", "re");
	if (!f || fscanf(f, "%zu %63s %u %d", &which_process, which_call, &which_number, &error) != 4 ||
		!(list = place(argv[1], "calls", "we"))) {
		execvp(program[0], program);
		return 127;
	}
	fclose(f);
	pid = start(program);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	/* What it was started with is the program's alone: who waits for its end must see it. */
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	kill(pid, SIGCONT);
	return trace(pid);
}
