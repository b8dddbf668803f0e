/* Durations and rates as scenarios and fault rules write them. Reading is exact (no floating point), and what
 * is printed reads back as the same number. */
#ifndef SYNCLINE_READER_UNITS_H
#define SYNCLINE_READER_UNITS_H

#include "base/buffer.h"

/* "250ms", "1.5s", "2min": digits, perhaps a decimal point, and one of ns us ms s min h. At most 10 years; a
 * decimal that is no whole number of ns is refused. */
bool units_read_duration(const char *text, int64_t *ns);
void units_print_duration(struct buffer *out, int64_t ns);

/* "1%", "0.25%" (up to four decimals) or "2500 per million", to parts per million, 0..1000000. */
bool units_read_rate(const char *text, int64_t *per_million);
void units_print_rate(struct buffer *out, int64_t per_million);

#endif
