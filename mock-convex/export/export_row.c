#include "mock-convex/export/export_row.h"

#include <assert.h>
#include <string.h>

#include "mock-convex/export/selection.h"

void convex_document_id_text(const struct convex_document *document, char text[CONVEX_ID_TEXT_MAX]) {
    struct convex_id id = {.table = document->table->number};
    memcpy(id.internal, document->internal, 16);
    convex_id_encode(&id, text);
}

static void append_metadata(struct buffer *out, const struct convex_revision *revision) {
    assert(revision->ts > 0);
    buffer_append_text(out, "{\"_component\":");
    buffer_append_json_text(out, revision->document->table->component);
    buffer_append_text(out, ",\"_table\":");
    buffer_append_json_text(out, revision->document->table->name);
    buffer_append_text(out, ",\"_ts\":");
    buffer_append_integer(out, revision->ts);
}

static void append_fields(struct buffer *out, const struct convex_value *document, const json_t *columns,
                          enum convex_format format) {
    for (size_t i = 0; i < document->as.object.count; i++) {
        const struct convex_field *field = &document->as.object.fields[i];
        if (!convex_selection_has_column(columns, field->name)) {
            continue;
        }
        buffer_append_char(out, ',');
        buffer_append_json_text(out, field->name);
        buffer_append_char(out, ':');
        convex_append_json(out, field->value, format);
    }
    buffer_append_char(out, '}');
}

void convex_append_snapshot_row(struct buffer *out, const struct convex_revision *revision,
                                const json_t *columns, enum convex_format format) {
    assert(revision->value != NULL);
    append_metadata(out, revision);
    append_fields(out, revision->value, columns, format);
}

void convex_append_delta_row(struct buffer *out, const struct convex_revision *revision,
                             const json_t *columns, enum convex_format format) {
    append_metadata(out, revision);
    if (revision->value != NULL) {
        buffer_append_text(out, ",\"_deleted\":false");
        append_fields(out, revision->value, columns, format);
        return;
    }
    char id[CONVEX_ID_TEXT_MAX];
    convex_document_id_text(revision->document, id);
    buffer_append_text(out, ",\"_deleted\":true,\"_id\":");
    buffer_append_json_text(out, id);
    buffer_append_char(out, '}');
}

void convex_append_document(struct buffer *out, const struct convex_revision *revision, const json_t *columns,
                            enum convex_format format) {
    if (revision->value == NULL) {
        char id[CONVEX_ID_TEXT_MAX];
        convex_document_id_text(revision->document, id);
        buffer_printf(out, "{\"_id\":\"%s\"}", id);
        return;
    }
    bool first = true;
    for (size_t i = 0; i < revision->value->as.object.count; i++) {
        const struct convex_field *field = &revision->value->as.object.fields[i];
        if (convex_selection_has_column(columns, field->name)) {
            buffer_append_char(out, first ? '{' : ',');
            buffer_append_json_text(out, field->name);
            buffer_append_char(out, ':');
            convex_append_json(out, field->value, format);
            first = false;
        }
    }
    assert(!first); /* _id belongs always */
    buffer_append_char(out, '}');
}
