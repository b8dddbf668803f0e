/* From the columns of an upload to the fields of a document, as a backend's handler does it: names, times,
 * booleans, owner, and what is refused. */
#ifndef SYNCLINE_APP_MAP_ROW_H
#define SYNCLINE_APP_MAP_ROW_H

#include "app/app.h"

/* The table of any app with this name; NULL: none. */
const struct client_table *app_find_table(const char *name, const struct app **app);

/* `user` is who uploads, NULL when the handler does not know. The others are wrong ways; false: right. */
struct app_mapping_rules {
    const char *user;
    bool owner_from_client;       /* the owner is what the client says */
    bool camel_only;              /* columns are looked up under their camelCase names only */
    bool seconds_as_milliseconds; /* nobody converts */
    bool guess_units;             /* a time below 10,000,000,000 is taken for seconds, whatever the column */
    bool camel_first;             /* where both spellings are there, the camelCase one counts */
    bool boolean_as_number;
    bool null_is_false;
    bool truthy_text;   /* every text is true, but the empty one */
    bool times_as_sent; /* ISO times are stored as they come */
};

/* The fields that an operation sets. `whole` (PUT) states the row: columns that `data` leaves out are null.
 * Otherwise (PATCH) only what is there changes. `data` NULL: empty. STATUS_INVALID: refused. */
enum status app_map_row(const struct app *app, const struct client_table *table,
                        const struct convex_value *data, bool whole, const struct app_mapping_rules *rules,
                        struct convex_value **fields, struct error *error);

#endif
