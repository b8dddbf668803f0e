#include "client/mapping.h"

#include <string.h>

enum column_meaning mapping_meaning(const struct client_mapping *mapping, const char *table,
                                    const char *column) {
    for (size_t i = 0; i < mapping->n_columns; i++)
        if (strcmp(mapping->columns[i].table, table) == 0 && strcmp(mapping->columns[i].column, column) == 0)
            return mapping->columns[i].meaning;
    return COLUMN_COPIED;
}

const char *mapping_column(const struct client_mapping *mapping, const char *table,
                           enum column_meaning meaning) {
    for (size_t i = 0; i < mapping->n_columns; i++)
        if (strcmp(mapping->columns[i].table, table) == 0 && mapping->columns[i].meaning == meaning)
            return mapping->columns[i].column;
    return NULL;
}

void mapping_append_camel_case(struct buffer *out, const char *column) {
    for (const char *c = column; *c; c++) {
        const bool upper = *c == '_' && c[1] >= 'a' && c[1] <= 'z';

        if (upper)
            c++;
        buffer_append_char(out, upper ? (char)(*c - 'a' + 'A') : *c);
    }
}

void mapping_append_field(struct buffer *out, const struct client_mapping *mapping, const char *column) {
    if (mapping->camel_case)
        mapping_append_camel_case(out, column);
    else
        buffer_append_text(out, column);
}
