/* From a document of Convex's export (format=json) to a source row: booleans become 1 and 0, arrays and
 * objects compact JSON text, numbers keep integer or floating. Int64, bytes, ids and the names of NaN and the
 * infinities are strings there and stay text. What the export adds (_table, _ts, _deleted, _component) is
 * left out. */
#ifndef MOCK_POWERSYNC_CONVEX_ROW_H
#define MOCK_POWERSYNC_CONVEX_ROW_H

#include "mock-powersync/config/row.h"

/* Borrows from the document; what has to be made anew lives in the arena. */
struct row convex_row(const json_t *document, struct arena *arena);

#endif
