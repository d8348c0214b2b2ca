/* Between value.c and value-read.c: the type and the form, without "is it in this version". */
#ifndef CLSECURE_VALUE_READ_H
#define CLSECURE_VALUE_READ_H

#include "lib/policy/value.h"

int value_read(enum setting s, const char *text, struct value *ret_value, struct error *e);

#endif
