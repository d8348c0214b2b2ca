/*
 * What is said between the keeper of a sandbox and root programs on the host (the PAM module,
 * clsecured, clsecure as root): one SOCK_SEQPACKET message each way, on RUNDIR/NAME/keeper.sock,
 * which only root can reach; both ends check SO_PEERCRED for uid 0 all the same.
 *
 * A session is the life of its holder: the process that sent ENTER.  It ends by LEAVE on the
 * connection, or when the holder's pidfd says that it died.  The end of the connection alone ends
 * nothing (sshd's children hold copies; callers that exec lose it).
 */
#ifndef CLSECURE_PROTOCOL_H
#define CLSECURE_PROTOCOL_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

#define KEEPER_VERSION 1
#define KEEPER_WAIT_MS 5000 /* no login ever waits longer for the whole of its session's opening */

enum keeper_op {
	/*
	 * answered with fds: PID 1's pidfd, the filter (sealed memfd of struct sock_filter), a
	 * devpts ptmx opener (O_PATH of the sandbox's /dev)
	 */
	KEEPER_ENTER = 1,
	KEEPER_READY, /* the session has entered; findings and MaxSessions count it from ENTER on */
	KEEPER_LEAVE,
	/* answered with KEEPER_LIST replies, one per session, then status 0 and session 0 */
	KEEPER_LIST,
	/*
	 * Answered with the number of sessions in .session and MaxSessions in .max.  The settings
	 * that are live have been read again: it also tells the keeper that they were changed.
	 */
	KEEPER_COUNT,
	KEEPER_KILL, /* .session: end that one's processes; 0: the whole sandbox; .worker */
	/*
	 * with an fd: the pidfd of a process that the holder stands for; it is killed when the
	 * session ends
	 */
	KEEPER_PROGRAM,
	/*
	 * keep an empty sandbox while this connection lives (clsecured, before its PAM session);
	 * .worker
	 */
	KEEPER_RESERVE,
	KEEPER_HERE, /* answered: a keeper is there, and goes on */
	/*
	 * There is no way back from here: where logind has no session of the caller's, one is made
	 * and answered as an fd, whose last copy ends it.
	 */
	KEEPER_PLACE,
};

/*
 * RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_FSIZE.  Only downwards, so that it takes no privilege: who has
 * the real uid of a person (su) could be given them from outside by CAP_SYS_RESOURCE alone, which
 * containers lack.
 */
enum { KEEPER_LIMIT_CORE, KEEPER_LIMIT_FILES, KEEPER_LIMIT_FILE_SIZE, KEEPER_LIMITS };

struct keeper_request {
	uint32_t version, op, session;
	/*
	 * 0, or whose sandbox is meant: a name may be another person's project by now, a uid never.
	 * -ESTALE where it is not.
	 */
	uint32_t worker;
	char service[32]; /* PAM service; for people and the log, and cleaned by the sender */
	char tty[32];
	char host[128];
	char who[64]; /* the person who came in, where the door knows */
};

struct keeper_reply {
	uint32_t version;
	int32_t status; /* 0, 1: more replies follow, or -errno */
	uint32_t session, max;
	uint64_t since; /* seconds since the epoch */
	int32_t holder; /* pid on the host */
	uint32_t reserved;
	/* to ENTER: what the one who enters sets for itself; UINT64_MAX: as it is */
	uint64_t limits[KEEPER_LIMITS];
	char service[32], tty[32], host[128], who[64];
	char text[256]; /* the reason of a refusal, for people; cleaned */
};

#endif
