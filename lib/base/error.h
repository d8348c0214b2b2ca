/* The words that travel up with an error code: the act, the object quoted, the reason. */
#ifndef CLSECURE_ERROR_H
#define CLSECURE_ERROR_H

#include "lib/base/macros.h"

struct error {
	int code; /* -errno; 0: nothing was set */
	char text[256];
};

/*
 * Sets the error (`e` may be NULL) and returns `code`, so that `return error_set(e, -EPERM, ...)`
 * reads well.  Control characters and bytes that are not UTF-8 become '?': what a person or an
 * agent chose can be quoted without a terminal obeying it.  Too long is cut, always terminated.
 */
int error_set(struct error *e, int code, const char *format, ...) _printf_(3, 4);

/* As error_set, and adds ": " and the words of the errno. */
int error_errno(struct error *e, int code, const char *format, ...) _printf_(3, 4);

/* Replaces control characters and invalid UTF-8 in place by '?'. */
void text_clean(char *text);

/* The same bytes as \n, \t or \xHH, for a name that a person has to find again; cut to size. */
void text_escape(const char *text, char *buf, size_t size);

#endif
