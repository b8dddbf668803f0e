/* Every document that a client's row was ever mapped to, by table and row id, with a text of the owner of
 * this index. */
#ifndef SYNCLINE_CHECK_DOCUMENT_INDEX_H
#define SYNCLINE_CHECK_DOCUMENT_INDEX_H

#include "base/buffer.h"
#include "base/map.h"

struct document_index {
    struct map texts; /* row_set_key -> copy of the text */
    struct buffer key;
};

void document_index_free(struct document_index *index);
/* NULL: no such document. */
const char *document_index_get(struct document_index *index, const char *table, const char *uuid);
void document_index_set(struct document_index *index, const char *table, const char *uuid, const char *text);

#endif
