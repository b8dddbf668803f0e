/* The keys of the tests (RFC 7515 and RFC 8037), for targets that need tokens. */
#ifndef FUZZ_KEYS_H
#define FUZZ_KEYS_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define assert_int_equal(a, b) assert((a) == (b)) /* cmocka's, in the tests */
#include "../tests/mock-convex/tokens.h"          // IWYU pragma: export

#endif
