/* The buckets that a connection is entitled to, with the reasons: what its subscriptions give, merged by
 * name.
 */
#ifndef MOCK_POWERSYNC_BUCKET_WISHES_H
#define MOCK_POWERSYNC_BUCKET_WISHES_H

#include "base/map.h"
#include "mock-powersync/stream/sync_line.h"

struct bucket_wish {
    const char *name;
    const char *definition; /* the stream's name */
    int priority;           /* the most urgent of all reasons */
    struct sync_line_reason *reasons;
    size_t n_reasons;
};

/* A zeroed list is empty. */
struct bucket_wishes {
    struct map by_name; /* name -> struct bucket_wish, in order of first mention */
};

void bucket_wishes_add(struct bucket_wishes *wishes, const char *name, const char *definition, int priority,
                       struct sync_line_reason reason);
/* Take over all of `more`; a bucket that both have is as `more` has it. `more` is empty afterwards. */
void bucket_wishes_join(struct bucket_wishes *wishes, struct bucket_wishes *more);
/* Copies of all wishes. */
void bucket_wishes_copy(struct bucket_wishes *wishes, const struct bucket_wishes *from);
void bucket_wishes_free(struct bucket_wishes *wishes);

#endif
