/*
 * Runs a program, and all that comes of it, with what an older kernel has: a call that is newer than
 * Linux 5.15 is unknown, and so are later flags of calls that it has.
 */
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LAST_CALL 448 /* process_mrelease: numbers from 424 up are the same on all machines */
#define X32_CALLS 512 /* and where x32's own begin, with a bit set above them */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

static struct sock_filter program[] = {
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_CALL, 0, 2),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 1, 0),
	RETURN(SECCOMP_RET_ERRNO | ENOSYS),
	/* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is of 5.19 */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_seccomp, 0, 3),
	LOAD(args[1]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1 << 5, 0, 1),
	RETURN(SECCOMP_RET_ERRNO | EINVAL),
	/* PR_SET_VMA is of 5.17 */
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prctl, 0, 3),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x53564d41, 0, 1),
	RETURN(SECCOMP_RET_ERRNO | EINVAL),
	RETURN(SECCOMP_RET_ALLOW),
};

int main(int argc, char **argv)
{
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };

	if (argc < 2)
		errx(2, "usage: old-calls PROGRAM [ARGUMENT...]");
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		err(1, "cannot load a filter");
	execv(argv[1], argv + 1);
	err(1, "cannot run %s", argv[1]);
}
