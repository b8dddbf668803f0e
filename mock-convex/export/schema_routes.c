/* GET /api/json_schemas, /api/get_table_column_names, /api/test_streaming_export_connection; see
 * export_api.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "mock-convex/export/export_api.h"
#include "mock-convex/export/export_arguments.h"
#include "mock-convex/export/json_schema.h"

static int compare_names(const void *a, const void *b) {
    const struct convex_store_table *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* The tables of a component that live now. The caller frees the array. */
static struct convex_store_table **tables_by_name(const struct convex_store *store, const char *component,
                                                  size_t *count) {
    struct convex_store_table **tables = memory_allocate_array(store->n_tables + 1, sizeof *tables);
    *count = 0;
    for (size_t i = 0; i < store->n_tables; i++) {
        if (convex_store_table_lives(store->tables[i], store->latest) &&
            strcmp(store->tables[i]->component, component) == 0) {
            tables[(*count)++] = store->tables[i];
        }
    }
    qsort(tables, *count, sizeof *tables, compare_names);
    return tables;
}

/* {"table":schema} of these tables. */
static void append_schemas(struct convex_deployment *deployment, struct convex_store_table *const *tables,
                           size_t count, enum convex_format format, bool delta, struct buffer *out) {
    const struct convex_store *store = &deployment->store;
    buffer_append_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i == 0 ? "" : ",");
        buffer_append_json_text(out, tables[i]->name);
        buffer_append_char(out, ':');
        convex_append_table_schema(out, store, tables[i]->component,
                                   convex_table_shape(&deployment->shapes, store, tables[i]), format, delta);
    }
    buffer_append_char(out, '}');
}

static void append_by_component(struct convex_deployment *deployment, enum convex_format format, bool delta,
                                struct buffer *out) {
    const struct convex_store *store = &deployment->store;
    for (size_t i = 0; i < store->n_components; i++) {
        size_t count;
        struct convex_store_table **tables = tables_by_name(store, store->components[i].path, &count);
        buffer_append_char(out, i == 0 ? '{' : ',');
        buffer_append_json_text(out, store->components[i].path);
        buffer_append_char(out, ':');
        append_schemas(deployment, tables, count, format, delta, out);
        free(tables);
    }
    buffer_append_char(out, '}');
}

/* All components in one object: of tables with the same name the last component's stays. */
static void append_flat(struct convex_deployment *deployment, enum convex_format format, bool delta,
                        struct buffer *out) {
    const struct convex_store *store = &deployment->store;
    struct convex_store_table **merged = memory_allocate_array(store->n_tables + 1, sizeof *merged);
    size_t n_merged = 0;
    struct map by_name = {0};
    struct map_entry *entry;
    for (size_t i = 0; i < store->n_components; i++) {
        size_t count;
        struct convex_store_table **tables = tables_by_name(store, store->components[i].path, &count);
        for (size_t j = 0; j < count; j++) {
            map_set(&by_name, tables[j]->name, tables[j]);
        }
        free(tables);
    }
    for (size_t i = 0; (entry = map_next(&by_name, &i)) != NULL;) {
        merged[n_merged++] = entry->value;
    }
    qsort(merged, n_merged, sizeof *merged, compare_names);
    append_schemas(deployment, merged, n_merged, format, delta, out);
    map_free(&by_name, NULL);
    free(merged);
}

bool convex_export_summaries(const struct convex_deployment *deployment, struct convex_reply *reply) {
    return host_now(deployment->host) >= deployment->summaries_at ||
           convex_reply_error(reply, 503, "TableSummariesUnavailable",
                              "The deployment has just started and does not know its tables yet.");
}

void convex_answer_json_schemas(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    enum convex_format format;
    assert(deployment->store.n_tables > 0);
    if (convex_export_admit(deployment, request, CONVEX_JSON_SCHEMAS, &arguments, reply) &&
        convex_export_reach_database(&arguments, reply) && convex_export_summaries(deployment, reply) &&
        convex_export_format(&arguments, &format, reply)) {
        reply->status = 200;
        (arguments.by_component ? append_by_component : append_flat)(deployment, format,
                                                                     arguments.delta_schema, &reply->body);
    }
    convex_export_arguments_free(&arguments);
}

/* [{"name":..,"columns":[..]}] of a component's tables. */
static void append_columns(struct convex_deployment *deployment, const char *component, struct buffer *out) {
    const struct convex_store *store = &deployment->store;
    size_t count;
    struct convex_store_table **tables = tables_by_name(store, component, &count);
    buffer_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct convex_shape *shape = convex_table_shape(&deployment->shapes, store, tables[i]);
        buffer_append_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        buffer_append_json_text(out, tables[i]->name);
        buffer_append_text(out, ",\"columns\":[");
        for (size_t j = 0; j < shape->n_fields; j++) {
            buffer_append_text(out, j == 0 ? "" : ",");
            buffer_append_json_text(out, shape->fields[j].name);
        }
        buffer_append_text(out, "]}");
    }
    buffer_append_char(out, ']');
    free(tables);
}

void convex_answer_column_names(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    const struct convex_store *store = &deployment->store;
    if (convex_export_admit(deployment, request, CONVEX_EXPORT_OTHER, &arguments, reply) &&
        convex_export_reach_database(&arguments, reply) && convex_export_summaries(deployment, reply)) {
        reply->status = 200;
        for (size_t i = 0; i < store->n_components; i++) {
            buffer_append_text(&reply->body, i == 0 ? "{\"byComponent\":{" : ",");
            buffer_append_json_text(&reply->body, store->components[i].path);
            buffer_append_char(&reply->body, ':');
            append_columns(deployment, store->components[i].path, &reply->body);
        }
        buffer_append_text(&reply->body, "}}");
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
    if (convex_export_admit(deployment, request, CONVEX_KEY_CHECK, &arguments, reply)) {
        reply->status = 200;
        buffer_append_text(
            &reply->body,
            arguments.caller.no_view
                ? "{\"success\":true,\"allowedOps\":[\"WriteData\"],\"isReadOnly\":false}"
            : arguments.caller.read_only
                ? "{\"success\":true,\"allowedOps\":[\"ViewData\"],\"isReadOnly\":true}"
                : "{\"success\":true,\"allowedOps\":[\"ViewData\",\"WriteData\"],\"isReadOnly\":false}");
    }
    convex_export_arguments_free(&arguments);
}
