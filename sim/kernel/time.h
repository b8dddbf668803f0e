/* Units of virtual time. All times are int64_t nanoseconds. */
#ifndef SYNCLINE_KERNEL_TIME_H
#define SYNCLINE_KERNEL_TIME_H

#include <stdint.h>

#define TIME_NANOSECOND INT64_C(1)
#define TIME_MICROSECOND INT64_C(1000)
#define TIME_MILLISECOND INT64_C(1000000)
#define TIME_SECOND INT64_C(1000000000)
#define TIME_MINUTE (60 * TIME_SECOND)
#define TIME_HOUR (60 * TIME_MINUTE)
#define TIME_DAY (24 * TIME_HOUR)

/* Wall clock at virtual time 0: 2026-01-01T00:00:00Z in ns since the Unix epoch. 19 digits, as Convex cursors
 * need. */
#define TIME_WALL_START INT64_C(1767225600000000000)

#endif
