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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

/*
 * A keeper lives as long as its sandbox, across upgrades.  What looks at one or ends it (HERE, LIST,
 * COUNT, KILL) is therefore asked by KEEPER_COMMON and means the same in every version; all else is
 * for callers of the keeper's own version, -EPROTO.  A reply has the keeper's version.  Neither
 * message changes its size or the places of what those four use.
 */
#define KEEPER_COMMON 1
#define KEEPER_VERSION 2
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
	/* answered: a keeper is there, and goes on; the first ones answer -ENOTSUP */
	KEEPER_HERE,
	/*
	 * There is no way back from here: where logind has no session of the caller's, one is made
	 * and answered as an fd, whose last copy ends it.
	 */
	KEEPER_PLACE,
	/*
	 * .service: a number in decimal, 0 for all.  Answered with an fd, a memfd of struct
	 * egress_record (lib/egress/control.h): what the network reached and refused and that
	 * changed after that number; .since is the number to ask with next, .session whether the
	 * network is filtered at all.
	 */
	KEEPER_REACHED,
	/* .service and on: a name, ended by NUL (KEEPER_NAME); .session: a port.  Ask=: it is no. */
	KEEPER_REFUSE,
	/*
	 * .session: a TCP port of the sandbox's loopback, ::1 where .service is "6"; answered with a
	 * socket that connects to it.
	 */
	KEEPER_DIAL,
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

_Static_assert(sizeof(struct keeper_request) == 272 && offsetof(struct keeper_request, op) == 4 &&
		offsetof(struct keeper_request, worker) == 12,
	"keepers of every version are asked by this");
_Static_assert(sizeof(struct keeper_reply) == 568 && offsetof(struct keeper_reply, since) == 16 &&
		offsetof(struct keeper_reply, service) == 56 &&
		offsetof(struct keeper_reply, text) == 312,
	"keepers of every version answer by this");

/* The four texts of a request are one for KEEPER_REFUSE. */
#define KEEPER_NAME(q) ((char *)(q) + offsetof(struct keeper_request, service))
#define KEEPER_NAME_SIZE (sizeof(struct keeper_request) - offsetof(struct keeper_request, service))

static inline bool keeper_common(uint32_t op)
{
	return op == KEEPER_HERE || op == KEEPER_LIST || op == KEEPER_COUNT || op == KEEPER_KILL;
}

#endif
