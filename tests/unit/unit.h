/* cmocka, with the headers that it wants before it. */
#ifndef CLSECURE_UNIT_H
#define CLSECURE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/macros.h"

#endif
