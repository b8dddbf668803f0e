/* What every test file here includes first: cmocka wants its headers in this order. */
#ifndef TESTS_MOCK_POWERSYNC_UNIT_H
#define TESTS_MOCK_POWERSYNC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
