/* A project's home, looked at as the worker, whose it is. */
#ifndef CLSECURE_WORKER_HOME_H
#define CLSECURE_WORKER_HOME_H

#include <stdint.h>

#include "lib/base/error.h"

/* Bytes that it takes on disk.  -ETIMEDOUT when counting takes longer than timeout_ms. */
int home_size(const char *slug, unsigned timeout_ms, uint64_t *ret_bytes);

/* Has somebody logged in to Claude there? */
bool home_logged_in(const char *slug);

#endif
