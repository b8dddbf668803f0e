/* Float64 as the backend prints it: shortest digits, always with a decimal point or an exponent. */
#ifndef MOCK_CONVEX_FLOAT_TEXT_H
#define MOCK_CONVEX_FLOAT_TEXT_H

#include "base/buffer.h"

/* 3.0, -0.0, 0.00001, 1e-6, 1000000000000000.0, 1e16, 1.5e300. `value` must be finite. The layout is that of
 * the Ryu printer in Rust's JSON serialiser, not JavaScript's: exponents start at 1e16 and below 1e-5,
 * without a plus sign. */
void convex_append_float(struct buffer *out, double value);

#endif
