#include "check/row_set.h"

#include <assert.h>
#include <string.h>

void row_set_key(struct buffer *scratch, const char *table, const char *id) {
    assert(table != NULL && id != NULL);
    buffer_clear(scratch);
    buffer_append(scratch, table, strlen(table) + 1);
    buffer_append_text(scratch, id);
}

struct hash128 row_set_hash(struct buffer *scratch, const char *table, const char *id, const char *text) {
    if (text == NULL)
        return (struct hash128){0, 0};
    row_set_key(scratch, table, id);
    buffer_append_char(scratch, '\0');
    buffer_append_text(scratch, text);
    return hash128_of(scratch->data, scratch->length);
}
