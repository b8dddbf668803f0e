/* Columns that an app wrote with the value that its device showed anyway. The client core leaves them out of
 * what is uploaded, so nothing can be said of what becomes of them. */
#ifndef SYNCLINE_CHECK_UNCHANGED_H
#define SYNCLINE_CHECK_UNCHANGED_H

#include "base/map.h"
#include "check/view_model.h"

struct unchanged {
    struct map columns; /* record and row of a NOTE_LOCAL_WRITE -> bits, one a column */
};

/* A NOTE_LOCAL_WRITE, before its view: only PATCH leaves anything out. Columns count as in `schema`,
 * whichever version of it the device has. */
void unchanged_record(struct unchanged *unchanged, const struct view_model *model,
                      const struct client_schema *schema, const struct history_record *write);
/* `row` of the record; `column` of the table, the first 64 only. */
bool unchanged_has(const struct unchanged *unchanged, const struct history_record *write, size_t row,
                   size_t column);
void unchanged_free(struct unchanged *unchanged);

#endif
