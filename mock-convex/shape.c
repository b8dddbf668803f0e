#include "mock-convex/shape.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void add_id(struct convex_shape *shape, const struct convex_store_table *table, struct arena *arena) {
    for (size_t i = 0; i < shape->n_ids; i++) {
        if (shape->ids[i] == table) {
            return;
        }
    }
    const struct convex_store_table **ids = arena_allocate(arena, (shape->n_ids + 1) * sizeof *ids);
    for (size_t i = 0; i < shape->n_ids; i++) {
        ids[i] = shape->ids[i];
    }
    ids[shape->n_ids++] = table;
    shape->ids = ids;
}

/* A string that reads as an id of an existing table counts as an id, wherever it came from. */
static void observe_string(struct convex_shape *shape, const char *text, const struct convex_store *store,
                           struct arena *arena) {
    struct convex_id id;
    const struct convex_store_table *table =
        convex_id_decode(text, &id) == STATUS_OK ? convex_store_table_numbered(store, id.table) : NULL;
    if (table != NULL) {
        add_id(shape, table, arena);
    } else {
        shape->string = true;
    }
}

/* The place of the field, made if it is not there. */
static struct convex_shape_field *field_of(struct convex_shape *shape, const char *name,
                                           struct arena *arena) {
    size_t low = 0, high = shape->n_fields;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(shape->fields[middle].name, name);
        if (order == 0) {
            return &shape->fields[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (shape->n_fields == shape->fields_capacity) {
        size_t capacity = shape->fields_capacity == 0 ? 8 : shape->fields_capacity * 2;
        struct convex_shape_field *fields = arena_allocate(arena, capacity * sizeof *fields);
        for (size_t i = 0; i < shape->n_fields; i++) {
            fields[i] = shape->fields[i];
        }
        shape->fields = fields;
        shape->fields_capacity = capacity;
    }
    struct convex_shape_field *field = &shape->fields[low];
    memmove(field + 1, field, (shape->n_fields - low) * sizeof *field);
    shape->n_fields++;
    field->name = arena_copy_text(arena, name);
    field->shape = arena_allocate(arena, sizeof *field->shape);
    field->seen = 0;
    return field;
}

static void observe_object(struct convex_shape *shape, const struct convex_value *object,
                           const struct convex_store *store, struct arena *arena) {
    shape->object = true;
    shape->objects++;
    for (size_t i = 0; i < object->as.object.count; i++) {
        struct convex_shape_field *field = field_of(shape, object->as.object.fields[i].name, arena);
        field->seen++;
        convex_shape_observe(field->shape, object->as.object.fields[i].value, store, arena);
    }
}

static void observe_array(struct convex_shape *shape, const struct convex_value *array,
                          const struct convex_store *store, struct arena *arena) {
    shape->array = true;
    for (size_t i = 0; i < array->as.array.count; i++) {
        if (shape->items == NULL) {
            shape->items = arena_allocate(arena, sizeof *shape->items);
        }
        convex_shape_observe(shape->items, array->as.array.items[i], store, arena);
    }
}

void convex_shape_observe(struct convex_shape *shape, const struct convex_value *value,
                          const struct convex_store *store, struct arena *arena) {
    switch (value->kind) {
    case CONVEX_NULL:
        shape->null = true;
        break;
    case CONVEX_INT64:
        shape->int64 = true;
        break;
    case CONVEX_FLOAT64: {
        double number = value->as.number;
        shape->float64 = true;
        shape->special_float = shape->special_float || !isfinite(number) || (number == 0 && signbit(number));
        break;
    }
    case CONVEX_BOOLEAN:
        shape->boolean = true;
        break;
    case CONVEX_STRING:
        observe_string(shape, value->as.bytes.data, store, arena);
        break;
    case CONVEX_BYTES:
        shape->bytes = true;
        break;
    case CONVEX_ARRAY:
        observe_array(shape, value, store, arena);
        break;
    case CONVEX_OBJECT:
        observe_object(shape, value, store, arena);
        break;
    default:
        assert(value->kind != CONVEX_UNDEFINED); /* the store refuses it */
    }
}

static void make_empty_document(struct convex_shape *shape, const struct convex_store_table *table,
                                struct arena *arena) {
    shape->object = true;
    field_of(shape, "_creationTime", arena)->shape->float64 = true;
    add_id(field_of(shape, "_id", arena)->shape, table, arena);
}

struct convex_shape *convex_shape_of_table(const struct convex_store *store,
                                           const struct convex_store_table *table, struct arena *arena) {
    struct convex_shape *shape = arena_allocate(arena, sizeof *shape);
    const struct convex_ordered_node *node = convex_ordered_first(&table->indexes[0].entries);
    for (; node != NULL; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        if (document->newest->value != NULL) {
            convex_shape_observe(shape, document->newest->value, store, arena);
        }
    }
    if (shape->objects == 0) {
        make_empty_document(shape, table, arena);
    }
    return shape;
}
