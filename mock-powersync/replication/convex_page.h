/* Answers of the export API as pages of documents, read from their text: building every value first would
 * cost more than all that follows. */
#ifndef MOCK_POWERSYNC_CONVEX_PAGE_H
#define MOCK_POWERSYNC_CONVEX_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "mock-powersync/config/row.h"

/* One document of list_snapshot or document_deltas (format=json). Booleans become 1 and 0, arrays and objects
 * compact JSON text, numbers keep integer or floating. Int64, bytes, ids and the names of NaN and the
 * infinities are strings there and stay text. What the export adds (_table, _ts, _deleted, _component) is no
 * column. */
struct convex_document {
    struct row row;
    const char *table; /* NULL: none, or no string; so is the id */
    const char *id;
    int64_t ts; /* 0: none */
    bool deleted;
};

struct convex_page {
    struct convex_document *documents;
    size_t count;
    int64_t snapshot;        /* of list_snapshot; as the cursor below */
    int64_t cursor;          /* of document_deltas; 0: none, or one without 19 digits */
    const char *page_cursor; /* of list_snapshot; NULL: none */
    bool more;
};

/* All of the page lives in the arena. False: the text is not a JSON object with an array of objects `values`.
 */
bool convex_page_read(const char *text, size_t length, struct arena *arena, struct convex_page *page);
/* The same without the documents: of the head, only the snapshot counts. */
bool convex_page_read_head(const char *text, size_t length, int64_t *snapshot);
bool convex_document_read(const char *text, size_t length, struct arena *arena,
                          struct convex_document *document);

#endif
