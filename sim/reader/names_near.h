/* "Did you mean": the name that somebody probably wanted to write. */
#ifndef SYNCLINE_READER_NAMES_NEAR_H
#define SYNCLINE_READER_NAMES_NEAR_H

#include <stddef.h>

/* The nearest of `names` (NULL at the end), or NULL when none is near: the same but for case, hyphens and
 * underscores, or at most a third of its letters wrong. */
const char *names_nearest(const char *name, const char *(*names)(size_t index, const void *context),
                          const void *context);

#endif
