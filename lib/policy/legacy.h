/* The configuration of the bash clsecure ("key = value", no sections): recognised, never obeyed. */
#ifndef CLSECURE_LEGACY_H
#define CLSECURE_LEGACY_H

#include <stddef.h>

#include "lib/base/error.h"

/*
 * -EINVAL, with what replaces each key that is there, when a line before any section has one of its
 * keys.
 */
int legacy_check(const char *data, size_t size, const char *file, struct error *e);

#endif
