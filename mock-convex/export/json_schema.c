#include "mock-convex/export/json_schema.h"

#include <assert.h>

struct schema_writer {
    struct buffer *out;
    const struct convex_store *store;
    const char *component; /* whose tables the ids are of */
    enum convex_format format;
};

static void append_shape(const struct schema_writer *writer, const struct convex_shape *shape);

static bool is_required(const struct convex_shape *shape, const struct convex_shape_field *field) {
    return field->seen == shape->object;
}

/* "a":{..},"b":{..} */
static void append_properties(const struct schema_writer *writer, const struct convex_shape *shape) {
    for (size_t i = 0; i < shape->n_fields; i++) {
        buffer_append_text(writer->out, i == 0 ? "" : ",");
        buffer_append_json_text(writer->out, shape->fields[i].name);
        buffer_append_char(writer->out, ':');
        append_shape(writer, shape->fields[i].shape);
    }
}

/* ,"additionalProperties":false,"required":[..]} */
static void append_object_end(const struct schema_writer *writer, const struct convex_shape *shape) {
    assert(shape->object > 0);
    bool first = true;
    buffer_append_text(writer->out, ",\"additionalProperties\":false,\"required\":[");
    for (size_t i = 0; i < shape->n_fields; i++) {
        if (is_required(shape, &shape->fields[i])) {
            buffer_append_text(writer->out, first ? "" : ",");
            buffer_append_json_text(writer->out, shape->fields[i].name);
            first = false;
        }
    }
    buffer_append_text(writer->out, "]}");
}

static void append_object(const struct schema_writer *writer, const struct convex_shape *shape) {
    buffer_append_text(writer->out, "{\"type\":\"object\",\"properties\":{");
    append_properties(writer, shape);
    buffer_append_char(writer->out, '}');
    append_object_end(writer, shape);
}

static void append_array(const struct schema_writer *writer, const struct convex_shape *shape) {
    buffer_append_text(writer->out, "{\"type\":\"array\",\"items\":");
    if (shape->items == NULL) {
        buffer_append_text(writer->out, "false"); /* no item was ever seen */
    } else {
        append_shape(writer, shape->items);
    }
    buffer_append_char(writer->out, '}');
}

/* {"$integer":"<base64>"} and its like as a schema. */
static void append_wrapped(struct buffer *out, const char *key) {
    buffer_printf(out,
                  "{\"type\":\"object\",\"properties\":{\"%s\":{\"type\":\"string\"}},"
                  "\"additionalProperties\":false,\"required\":[\"%s\"]}",
                  key, key);
}

static void append_int64(const struct schema_writer *writer) {
    if (writer->format == CONVEX_FORMAT_ENCODED) {
        append_wrapped(writer->out, "$integer");
    } else {
        buffer_append_text(
            writer->out, writer->format == CONVEX_FORMAT_JSON
                             ? "{\"$description\":\"int64 represented as base10 string\",\"type\":\"string\"}"
                             : "{\"$description\":\"int64\",\"type\":\"number\"}");
    }
}

static void append_float64(const struct schema_writer *writer, bool special) {
    if (!special) {
        buffer_append_text(writer->out, "{\"type\":\"number\"}");
        return;
    }
    buffer_append_text(writer->out, "{\"$description\":\"float64\",\"anyOf\":[{\"type\":\"number\"},");
    if (writer->format == CONVEX_FORMAT_JSON) {
        buffer_append_text(writer->out, "{\"type\":\"string\"}");
    } else {
        append_wrapped(writer->out, "$float");
    }
    buffer_append_text(writer->out, "]}");
}

static void append_bytes(const struct schema_writer *writer) {
    if (writer->format == CONVEX_FORMAT_JSON) {
        buffer_append_text(writer->out, "{\"$description\":\"base64 bytes\",\"type\":\"string\"}");
    } else {
        append_wrapped(writer->out, "$bytes");
    }
}

/* The table whose ids these are. NULL: it has gone, and they are strings like any other. */
static const struct convex_store_table *table_of(const struct schema_writer *writer,
                                                 const struct convex_shape_id *id) {
    return convex_store_table_numbered(writer->store, writer->component, id->table);
}

static bool has_strings(const struct schema_writer *writer, const struct convex_shape *shape) {
    bool strings = shape->string > 0;
    for (size_t i = 0; i < shape->n_ids && !strings; i++) {
        strings = table_of(writer, &shape->ids[i]) == NULL;
    }
    return strings;
}

/* The alternatives of a shape in the order of kinds, each after `separator`. */
static void append_alternatives(const struct schema_writer *writer, const struct convex_shape *shape) {
    struct buffer *out = writer->out;
    const char *separator = "";
    bool strings = has_strings(writer, shape);
#define ALTERNATIVE(holds, write)                                                                            \
    do {                                                                                                     \
        if (holds) {                                                                                         \
            buffer_append_text(out, separator);                                                              \
            write;                                                                                           \
            separator = ",";                                                                                 \
        }                                                                                                    \
    } while (0)
    ALTERNATIVE(shape->null > 0, buffer_append_text(out, "{\"type\":\"null\"}"));
    ALTERNATIVE(shape->int64 > 0, append_int64(writer));
    ALTERNATIVE(shape->float64 > 0, append_float64(writer, shape->special_float > 0));
    ALTERNATIVE(shape->boolean > 0, buffer_append_text(out, "{\"type\":\"boolean\"}"));
    ALTERNATIVE(strings, buffer_append_text(out, "{\"type\":\"string\"}"));
    for (size_t i = 0; i < shape->n_ids && !strings; i++) {
        ALTERNATIVE(true, buffer_printf(out, "{\"$description\":\"Id(%s)\",\"type\":\"string\"}",
                                        table_of(writer, &shape->ids[i])->name));
    }
    ALTERNATIVE(shape->bytes > 0, append_bytes(writer));
    ALTERNATIVE(shape->array > 0, append_array(writer, shape));
    ALTERNATIVE(shape->object > 0, append_object(writer, shape));
#undef ALTERNATIVE
    assert(separator[0] != 0);
}

static int count_alternatives(const struct schema_writer *writer, const struct convex_shape *shape) {
    int strings = has_strings(writer, shape) ? 1 : (int)shape->n_ids;
    return (shape->null > 0) + (shape->int64 > 0) + (shape->float64 > 0) + (shape->boolean > 0) + strings +
           (shape->bytes > 0) + (shape->array > 0) + (shape->object > 0);
}

static void append_shape(const struct schema_writer *writer, const struct convex_shape *shape) {
    int count = count_alternatives(writer, shape);
    assert(count > 0);
    buffer_append_text(writer->out, count > 1 ? "{\"anyOf\":[" : "");
    append_alternatives(writer, shape);
    buffer_append_text(writer->out, count > 1 ? "]}" : "");
}

void convex_append_table_schema(struct buffer *out, const struct convex_store *store, const char *component,
                                const struct convex_shape *shape, enum convex_format format, bool delta) {
    struct schema_writer writer = {.out = out, .store = store, .component = component, .format = format};
    assert(shape->object > 0);
    buffer_append_text(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":\"object\","
                            "\"properties\":{");
    append_properties(&writer, shape);
    if (delta) { /* what every delta row has besides; not among the required ones */
        buffer_append_text(out, ",\"_table\":{\"type\":\"string\"},\"_component\":{\"type\":\"string\"},"
                                "\"_ts\":{\"type\":\"integer\"},\"_deleted\":{\"type\":\"boolean\"}");
    }
    buffer_append_char(out, '}');
    append_object_end(&writer, shape);
}
