/* What a client's view differs by, found by walking the versions of its user's view backwards from the newest
 * and counting rows that differ. Done only when a comparison has failed, or when local writes lie on top of
 * the view. */
#ifndef SYNCLINE_CHECK_VIEW_DIFFERENCE_H
#define SYNCLINE_CHECK_VIEW_DIFFERENCE_H

#include "check/view_model.h"

struct view_difference {
    size_t
        version; /* the version that explains the view best: equal, else a part of one commit, else closest */
    size_t count;        /* rows that differ from it */
    size_t part_version; /* index of a version of which the client shows only a part; 0: none */
    size_t part_shown;   /* how many of its changes are shown */
    /* A row to show people: with a part, one that it lacks. NULL when nothing differs. */
    const char *table;
    const char *row;
    const char *expected; /* text; NULL: no row */
    const char *seen;
};

/* Rows with own writes that are still queued count as equal when they are what those writes make of the
 * version's row. Only versions that hold at `not_before` or later are considered. */
void view_difference_find(const struct view_model *model, const struct client_schema *schema,
                          size_t not_before, struct view_difference *difference);

#endif
