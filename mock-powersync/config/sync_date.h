/* Dates of a sync config's functions: milliseconds since 1970 (UTC) from texts, Julian days or Unix times. */
#ifndef MOCK_POWERSYNC_SYNC_DATE_H
#define MOCK_POWERSYNC_SYNC_DATE_H

#include "mock-powersync/config/row.h"

/* A text is YYYY-MM[-DD][ HH:MM[:SS[.fraction]]][Z|+HH:MM], UTC unless it says otherwise; one of digits and
 * all numbers are Julian days, numbers with `unix_time` seconds since 1970. False: it is no date, or too far
 * away. */
bool sync_date_read(const struct sql_value *value, bool unix_time, int64_t *milliseconds);

/* YYYY-MM-DD HH:MM:SS, with .mmm when `fraction`. */
void sync_date_append(struct buffer *out, int64_t milliseconds, bool fraction);

#endif
