/* GET /api/shapes2: the shapes themselves, as the dashboard asks for them; see export_api.h. The words for
 * types are the backend's, the layout is ours. */
#include <string.h>

#include "mock-convex/export/export_api.h"
#include "mock-convex/export/export_arguments.h"
#include "mock-convex/store/shape.h"

static void append_shape(const struct convex_shape *shape, struct buffer *out);

static void append_object(const struct convex_shape *shape, struct buffer *out) {
    buffer_append_text(out, "{\"type\":\"Object\",\"fields\":[");
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct convex_shape_field *field = &shape->fields[i];
        buffer_append_text(out, i == 0 ? "{\"fieldName\":" : ",{\"fieldName\":");
        buffer_append_json_text(out, field->name);
        buffer_append_text(out, field->seen < shape->object ? ",\"optional\":true,\"shape\":"
                                                            : ",\"optional\":false,\"shape\":");
        append_shape(field->shape, out);
        buffer_append_char(out, '}');
    }
    buffer_append_text(out, "]}");
}

static void append_array(const struct convex_shape *shape, struct buffer *out) {
    buffer_append_text(out, "{\"type\":\"Array\",\"shape\":");
    if (shape->items != NULL) {
        append_shape(shape->items, out);
    } else {
        buffer_append_text(out, "{\"type\":\"Never\"}");
    }
    buffer_append_char(out, '}');
}

/* The kinds that the shape has seen, joined by commas. Returns how many. */
static int append_kinds(const struct convex_shape *shape, struct buffer *out) {
    const struct {
        size_t seen;
        const char *name;
    } plain[] = {{shape->null, "Null"},       {shape->int64, "Int64"},   {shape->float64, "Float64"},
                 {shape->boolean, "Boolean"}, {shape->string, "String"}, {shape->n_ids, "Id"},
                 {shape->bytes, "Bytes"}};
    int count = 0;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i].seen > 0) {
            buffer_printf(out, "%s{\"type\":\"%s\"}", count++ > 0 ? "," : "", plain[i].name);
        }
    }
    if (shape->array > 0) {
        buffer_append_text(out, count++ > 0 ? "," : "");
        append_array(shape, out);
    }
    if (shape->object > 0) {
        buffer_append_text(out, count++ > 0 ? "," : "");
        append_object(shape, out);
    }
    return count;
}

static void append_shape(const struct convex_shape *shape, struct buffer *out) {
    struct buffer kinds = {0};
    int count = append_kinds(shape, &kinds);
    if (count == 1) {
        buffer_append(out, kinds.data, kinds.length);
    } else if (count == 0) {
        buffer_append_text(out, "{\"type\":\"Never\"}");
    } else {
        buffer_append_text(out, "{\"type\":\"Union\",\"shapes\":[");
        buffer_append(out, kinds.data, kinds.length);
        buffer_append_text(out, "]}");
    }
    buffer_free(&kinds);
}

/* A table without documents has seen nothing, not even objects. */
static void append_table(struct convex_deployment *deployment, const struct convex_store_table *table,
                         struct buffer *out) {
    const struct convex_shape *shape = convex_table_seen(&deployment->shapes, &deployment->store, table);
    buffer_append_json_text(out, table->name);
    buffer_append_char(out, ':');
    if (shape != NULL) {
        append_shape(shape, out);
    } else {
        buffer_append_text(out, "{\"type\":\"Never\"}");
    }
}

void convex_answer_shapes(struct convex_deployment *deployment, const struct convex_request *request,
                          struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    const struct convex_store *store = &deployment->store;
    if (convex_export_admit(deployment, request, CONVEX_SHAPES, &arguments, reply) &&
        convex_export_reach_database(&arguments, reply) && convex_export_summaries(deployment, reply)) {
        const char *component = arguments.component != NULL ? arguments.component : "";
        bool first = true;
        reply->status = 200;
        buffer_append_char(&reply->body, '{');
        for (size_t i = 0; i < store->n_tables; i++) {
            const struct convex_store_table *table = store->tables[i];
            if (convex_store_table_lives(table, store->latest) && strcmp(table->component, component) == 0) {
                buffer_append_text(&reply->body, first ? "" : ",");
                append_table(deployment, table, &reply->body);
                first = false;
            }
        }
        buffer_append_char(&reply->body, '}');
    }
    convex_export_arguments_free(&arguments);
}
