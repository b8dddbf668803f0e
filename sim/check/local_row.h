/* What a local write should make of a row, as an app then sees it: the operation applied to the row's text
 * (disk/row_text.h), column by column in the order and with the types of the client's schema. */
#ifndef SYNCLINE_CHECK_LOCAL_ROW_H
#define SYNCLINE_CHECK_LOCAL_ROW_H

#include "client/client.h"

const struct client_table *local_row_table(const struct client_schema *schema,
                                           const char *name); /* NULL: unknown */

/* Appends the row's text after `operation` to `out`, `current` being the text before (NULL: no row). Returns
 * false when there is no row afterwards: after a DELETE, or a PATCH of a row that is not there. */
bool local_row_apply(struct buffer *out, const struct client_table *table, const char *current,
                     const struct note_row *operation);

#endif
