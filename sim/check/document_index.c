#include "check/document_index.h"

#include <stdlib.h>

#include "base/memory.h"
#include "check/row_set.h"

void document_index_free(struct document_index *index) {
    map_free(&index->texts, free);
    buffer_free(&index->key);
}

const char *document_index_get(struct document_index *index, const char *table, const char *uuid) {
    row_set_key(&index->key, table, uuid);
    return map_get_bytes(&index->texts, index->key.data, index->key.length);
}

void document_index_set(struct document_index *index, const char *table, const char *uuid, const char *text) {
    row_set_key(&index->key, table, uuid);
    free(map_set_bytes(&index->texts, index->key.data, index->key.length, memory_copy_text(text)));
}
