#include "mock-convex/store/shape.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void convex_shape_clear(struct convex_shape *shape) {
    for (size_t i = 0; i < shape->n_fields; i++) {
        convex_shape_clear(shape->fields[i].shape);
        free(shape->fields[i].shape);
        free(shape->fields[i].name);
    }
    if (shape->items != NULL) {
        convex_shape_clear(shape->items);
    }
    free(shape->items);
    free(shape->fields);
    free(shape->ids);
    memset(shape, 0, sizeof *shape);
}

/* One more or one less. */
static void count(size_t *number, bool more) {
    assert(more || *number > 0);
    *number = more ? *number + 1 : *number - 1;
}

/* --- strings --- */

static void count_id(struct convex_shape *shape, uint32_t table, bool more) {
    size_t at = 0;
    while (at < shape->n_ids && shape->ids[at].table < table) {
        at++;
    }
    if (at == shape->n_ids || shape->ids[at].table != table) {
        assert(more);
        shape->ids = memory_resize(shape->ids, shape->n_ids + 1, sizeof *shape->ids);
        memmove(shape->ids + at + 1, shape->ids + at, (shape->n_ids - at) * sizeof *shape->ids);
        shape->ids[at] = (struct convex_shape_id){.table = table};
        shape->n_ids++;
    }
    count(&shape->ids[at].seen, more);
    if (shape->ids[at].seen == 0) {
        shape->n_ids--;
        memmove(shape->ids + at, shape->ids + at + 1, (shape->n_ids - at) * sizeof *shape->ids);
    }
}

/* A string that reads as an id of an existing table counts as an id, wherever it came from. */
static void count_string(struct convex_shape *shape, const char *text, bool more) {
    struct convex_id id;
    if (convex_id_decode(text, &id) == STATUS_OK) {
        count_id(shape, id.table, more);
    } else {
        count(&shape->string, more);
    }
}

/* --- objects --- */

/* The place of the field, or the one where it belongs. */
static size_t place_of(const struct convex_shape *shape, const char *name, bool *found) {
    size_t low = 0, high = shape->n_fields;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(shape->fields[middle].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct convex_shape_field *need_field(struct convex_shape *shape, const char *name) {
    bool found;
    size_t place = place_of(shape, name, &found);
    if (!found) {
        MEMORY_RESERVE(shape->fields, shape->fields_capacity, shape->n_fields + 1);
        memmove(shape->fields + place + 1, shape->fields + place,
                (shape->n_fields - place) * sizeof *shape->fields);
        shape->n_fields++;
        shape->fields[place] = (struct convex_shape_field){
            .name = memory_copy_text(name), .shape = memory_allocate(sizeof *shape->fields[place].shape)};
    }
    return &shape->fields[place];
}

static void count_value(struct convex_shape *shape, const struct convex_value *value, bool more);

static void drop_field(struct convex_shape *shape, struct convex_shape_field *field) {
    size_t place = (size_t)(field - shape->fields);
    convex_shape_clear(field->shape);
    free(field->shape);
    free(field->name);
    shape->n_fields--;
    memmove(field, field + 1, (shape->n_fields - place) * sizeof *field);
}

static void count_object(struct convex_shape *shape, const struct convex_value *object, bool more) {
    count(&shape->object, more);
    for (size_t i = 0; i < object->as.object.count; i++) {
        struct convex_shape_field *field = need_field(shape, object->as.object.fields[i].name);
        count(&field->seen, more);
        count_value(field->shape, object->as.object.fields[i].value, more);
        if (field->seen == 0) { /* nobody has it any more */
            drop_field(shape, field);
        }
    }
}

static void count_array(struct convex_shape *shape, const struct convex_value *array, bool more) {
    count(&shape->array, more);
    for (size_t i = 0; i < array->as.array.count; i++) {
        if (shape->items == NULL) {
            shape->items = memory_allocate(sizeof *shape->items);
        }
        count(&shape->n_items, more);
        count_value(shape->items, array->as.array.items[i], more);
    }
    if (shape->n_items == 0 && shape->items != NULL) {
        convex_shape_clear(shape->items);
        free(shape->items);
        shape->items = NULL;
    }
}

/* --- values --- */

static void count_value(struct convex_shape *shape, const struct convex_value *value, bool more) {
    switch (value->kind) {
    case CONVEX_NULL:
        count(&shape->null, more);
        break;
    case CONVEX_INT64:
        count(&shape->int64, more);
        break;
    case CONVEX_FLOAT64: {
        double number = value->as.number;
        count(&shape->float64, more);
        if (!isfinite(number) || (number == 0 && signbit(number))) {
            count(&shape->special_float, more);
        }
        break;
    }
    case CONVEX_BOOLEAN:
        count(&shape->boolean, more);
        break;
    case CONVEX_STRING:
        count_string(shape, value->as.bytes.data, more);
        break;
    case CONVEX_BYTES:
        count(&shape->bytes, more);
        break;
    case CONVEX_ARRAY:
        count_array(shape, value, more);
        break;
    case CONVEX_OBJECT:
        count_object(shape, value, more);
        break;
    default:
        assert(value->kind != CONVEX_UNDEFINED); /* the store refuses it */
    }
}

void convex_shape_observe(struct convex_shape *shape, const struct convex_value *value) {
    count_value(shape, value, true);
}

void convex_shape_forget(struct convex_shape *shape, const struct convex_value *value) {
    count_value(shape, value, false);
}
