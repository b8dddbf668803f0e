/* Times as ISO 8601 text, as devices of all makers write them, brought into one form, which sorts by time:
 * YYYY-MM-DDTHH:MM:SS.mmmZ. What is finer than a millisecond is cut off. */
#ifndef SYNCLINE_APP_ISO_TIME_H
#define SYNCLINE_APP_ISO_TIME_H

#include <stdbool.h>

enum { ISO_TIME_SIZE = 32 };

/* Taken are T or a space between date and time, any number of digits behind the second (none is 0), and Z,
 * +HH:MM, -HH:MM or nothing (UTC) at the end; years 1 to 9998. False: `text` is no such time. */
bool iso_time_normal(const char *text, char out[ISO_TIME_SIZE]);

#endif
