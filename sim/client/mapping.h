/* What an app's columns mean on their way to the backend: how a row of a client becomes a document, and back
 * by the sync config. Apps declare it (app.h); upload handlers follow it, properties judge by it. */
#ifndef SYNCLINE_CLIENT_MAPPING_H
#define SYNCLINE_CLIENT_MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum column_meaning {
    COLUMN_COPIED,       /* text stays text, numbers become Float64 */
    COLUMN_BOOLEAN,      /* integer or text (1, "true", ...) on clients, boolean or null in documents */
    COLUMN_MILLISECONDS, /* a time in ms since 1970, on both sides */
    COLUMN_SECONDS,      /* a time in s since 1970 on clients, in ms in documents */
    COLUMN_ISO_TIME, /* a time as ISO 8601 text: in documents YYYY-MM-DDTHH:MM:SS.mmmZ, whatever clients say
                      */
    COLUMN_OWNER,    /* null on clients that do not know it; in documents the user who made the row */
    COLUMN_BACKEND,  /* the backend's own: it may make something else of what a client says */
    COLUMN_TITLE     /* text of 1 to COLUMN_TITLE_MOST bytes; anything else is refused */
};

enum { COLUMN_TITLE_MOST = 100 };

struct column_mapping {
    const char *table, *column;
    enum column_meaning meaning;
    const char *parent; /* the table whose ids it holds; NULL: none */
};

struct client_mapping {
    const struct column_mapping *columns; /* those that are more than COLUMN_COPIED */
    size_t n_columns;
    bool camel_case;  /* the documents' fields: due_at is dueAt */
    bool soft_delete; /* DELETE sets the field deletedAt, null until then, and streams leave such documents
                         out */
};

enum column_meaning mapping_meaning(const struct client_mapping *mapping, const char *table,
                                    const char *column);
/* The document's field for a column. */
void mapping_append_field(struct buffer *out, const struct client_mapping *mapping, const char *column);
void mapping_append_camel_case(struct buffer *out, const char *column);
/* The column with this meaning; NULL: the table has none. */
const char *mapping_column(const struct client_mapping *mapping, const char *table,
                           enum column_meaning meaning);

#endif
