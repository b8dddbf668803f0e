/* GET /api/json_schemas, /api/get_table_column_names, /api/test_streaming_export_connection; see
 * export_api.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/export_api.h"
#include "mock-convex/export_arguments.h"
#include "mock-convex/json_schema.h"

static int compare_names(const void *a, const void *b) {
    const struct convex_store_table *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* The tables that live now. The caller frees the array. */
static struct convex_store_table **tables_by_name(const struct convex_store *store, size_t *count) {
    struct convex_store_table **tables = memory_allocate_array(store->n_tables, sizeof *tables);
    *count = 0;
    for (size_t i = 0; i < store->n_tables; i++) {
        if (convex_store_table_lives(store->tables[i], store->latest)) {
            tables[(*count)++] = store->tables[i];
        }
    }
    qsort(tables, *count, sizeof *tables, compare_names);
    return tables;
}

static void append_schemas(struct convex_deployment *deployment, enum convex_format format, bool delta,
                           struct buffer *out) {
    size_t count;
    const struct convex_store *store = &deployment->store;
    struct convex_store_table **tables = tables_by_name(store, &count);
    buffer_append_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i == 0 ? "" : ",");
        buffer_append_json_text(out, tables[i]->name);
        buffer_append_char(out, ':');
        convex_append_table_schema(out, store, convex_table_shape(&deployment->shapes, store, tables[i]),
                                   format, delta);
    }
    buffer_append_char(out, '}');
    free(tables);
}

void convex_answer_json_schemas(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    enum convex_format format;
    assert(deployment->store.n_tables > 0);
    if (convex_export_admit(deployment, request, CONVEX_JSON_SCHEMAS, &arguments, reply) &&
        convex_export_reach_database(&arguments, reply) && convex_export_format(&arguments, &format, reply)) {
        reply->status = 200;
        buffer_append_text(&reply->body, arguments.by_component ? "{\"\":" : "");
        append_schemas(deployment, format, arguments.delta_schema, &reply->body);
        buffer_append_text(&reply->body, arguments.by_component ? "}" : "");
    }
    convex_export_arguments_free(&arguments);
}

void convex_answer_column_names(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    const struct convex_store *store = &deployment->store;
    if (convex_export_admit(deployment, request, CONVEX_EXPORT_OTHER, &arguments, reply) &&
        convex_export_reach_database(&arguments, reply)) {
        size_t count;
        struct convex_store_table **tables = tables_by_name(store, &count);
        reply->status = 200;
        buffer_append_text(&reply->body, "{\"byComponent\":{\"\":[");
        for (size_t i = 0; i < count; i++) {
            const struct convex_shape *shape = convex_table_shape(&deployment->shapes, store, tables[i]);
            buffer_append_text(&reply->body, i == 0 ? "{\"name\":" : ",{\"name\":");
            buffer_append_json_text(&reply->body, tables[i]->name);
            buffer_append_text(&reply->body, ",\"columns\":[");
            for (size_t j = 0; j < shape->n_fields; j++) {
                buffer_append_text(&reply->body, j == 0 ? "" : ",");
                buffer_append_json_text(&reply->body, shape->fields[j].name);
            }
            buffer_append_text(&reply->body, "]}");
        }
        buffer_append_text(&reply->body, "]}}");
        free(tables);
    }
    convex_export_arguments_free(&arguments);
}

void convex_answer_test_connection(struct convex_deployment *deployment, const struct convex_request *request,
                                   struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    if (convex_export_admit(deployment, request, CONVEX_EXPORT_OTHER, &arguments, reply)) {
        reply->status = 200;
        buffer_append_text(&reply->body, "null");
    }
    convex_export_arguments_free(&arguments);
}

void convex_answer_check_admin_key(struct convex_deployment *deployment, const struct convex_request *request,
                                   struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    if (convex_export_admit(deployment, request, CONVEX_EXPORT_OTHER, &arguments, reply)) {
        reply->status = 200;
        buffer_append_text(
            &reply->body,
            arguments.caller.read_only
                ? "{\"success\":true,\"allowedOps\":[\"ViewData\"],\"isReadOnly\":true}"
                : "{\"success\":true,\"allowedOps\":[\"ViewData\",\"WriteData\"],\"isReadOnly\":false}");
    }
    convex_export_arguments_free(&arguments);
}
