/* Rows as the streaming export writes them: metadata keys first, then the document's fields. */
#ifndef MOCK_CONVEX_EXPORT_ROW_H
#define MOCK_CONVEX_EXPORT_ROW_H

#include <jansson.h>

#include "mock-convex/store/store.h"

/* {"_component":C,"_table":T,"_ts":N, fields}. Of the fields, those that `columns` selects (selection.h). */
void convex_append_snapshot_row(struct buffer *out, const struct convex_revision *revision,
                                const json_t *columns, enum convex_format format);
/* The same with "_deleted"; a deletion has "_id" as its only field. */
void convex_append_delta_row(struct buffer *out, const struct convex_revision *revision,
                             const json_t *columns, enum convex_format format);
/* The document alone: {fields}, or {"_id":..} of a deletion. */
void convex_append_document(struct buffer *out, const struct convex_revision *revision, const json_t *columns,
                            enum convex_format format);
void convex_document_id_text(const struct convex_document *document, char text[CONVEX_ID_TEXT_MAX]);

#endif
