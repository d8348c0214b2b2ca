/*
 * What `clsecure doctor` finds: one line for each check, with the command that mends what is wrong.
 */
#ifndef CLSECURE_DOCTOR_H
#define CLSECURE_DOCTOR_H

#include "lib/base/error.h"

enum finding_kind {
	FINDING_OK,
	FINDING_NOTE, /* worth knowing; nothing is broken */
	FINDING_FAIL,
};

struct finding {
	enum finding_kind kind;
	const char *area; /* "kernel", "nss", "pam", ... */
	char *text; /* owned: what, and why */
	char *remedy; /* owned: what mends it, or NULL */
};

struct doctor {
	struct finding *finding; /* owned */
	size_t n, failed;
	const char *area; /* of the checks that run */
};
void doctor_done(struct doctor *d);

void doctor_ok(struct doctor *d, const char *format, ...) _printf_(2, 3);
void doctor_note(struct doctor *d, const char *remedy, const char *format, ...) _printf_(3, 4);
void doctor_fail(struct doctor *d, const char *remedy, const char *format, ...) _printf_(3, 4);

/*
 * False, with one failure, where setup has joined nothing or unsetup has taken it back: each check
 * of what is joined would fail for that one reason.
 */
bool doctor_joined(struct doctor *d);

/* Each looks at one thing and adds at least one finding. */
typedef void doctor_check(struct doctor *d);
doctor_check doctor_kernel, doctor_programs, doctor_nss, doctor_registry, doctor_members,
	doctor_pam, doctor_sshd, doctor_systemd, doctor_clsecured, doctor_network;

#endif
