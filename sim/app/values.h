/* What the app values writes: one value of each kind that Convex has, and how a device must show it in a
 * column of text. By the service's rules: Int64 is decimal text, bytes are base64 text, booleans are 1 and 0,
 * lists and objects are compact JSON, NaN is its name, the sign of -0 goes. */
#ifndef SYNCLINE_APP_VALUES_H
#define SYNCLINE_APP_VALUES_H

#include <stddef.h>

struct app_specimen {
    const char *name;
    const char *encoded; /* Convex's encoded JSON; NULL: the document does not have the field */
    const char *shown;   /* NULL: null */
};

extern const struct app_specimen app_specimens[];
extern const size_t app_specimen_count;

const struct app_specimen *app_specimen_find(const char *name); /* NULL: unknown */

#endif
