#include "mock-convex/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct convex_value *make(enum convex_kind kind) {
    struct convex_value *value = memory_allocate(sizeof *value);
    value->kind = kind;
    return value;
}

struct convex_value *convex_null(void) {
    return make(CONVEX_NULL);
}

struct convex_value *convex_int64(int64_t integer) {
    struct convex_value *value = make(CONVEX_INT64);
    value->as.integer = integer;
    return value;
}

struct convex_value *convex_float64(double number) {
    struct convex_value *value = make(CONVEX_FLOAT64);
    value->as.number = number;
    return value;
}

struct convex_value *convex_boolean(bool boolean) {
    struct convex_value *value = make(CONVEX_BOOLEAN);
    value->as.boolean = boolean;
    return value;
}

struct convex_value *convex_bytes(const void *bytes, size_t length) {
    assert(bytes != NULL || length == 0);
    struct convex_value *value = make(CONVEX_BYTES);
    value->as.bytes.data = memory_copy_bytes(bytes, length);
    value->as.bytes.length = length;
    return value;
}

struct convex_value *convex_string(const char *text) {
    assert(text != NULL);
    struct convex_value *value = convex_bytes(text, strlen(text));
    value->kind = CONVEX_STRING;
    return value;
}

struct convex_value *convex_array(void) {
    return make(CONVEX_ARRAY);
}

struct convex_value *convex_object(void) {
    return make(CONVEX_OBJECT);
}

/* Arrays and fields grow at powers of two, so that no capacity has to be kept. */
static bool must_grow(size_t count) {
    return (count & (count - 1)) == 0;
}

static size_t grown(size_t count) {
    return count == 0 ? 1 : count * 2;
}

void convex_array_append(struct convex_value *array, struct convex_value *item) {
    assert(array->kind == CONVEX_ARRAY && item != NULL);
    size_t count = array->as.array.count;
    if (must_grow(count)) {
        array->as.array.items =
            memory_resize(array->as.array.items, grown(count), sizeof(struct convex_value *));
    }
    array->as.array.items[count] = item;
    array->as.array.count = count + 1;
}

/* The place of a field by binary search: where it is, or where it would have to go. */
static size_t find_field(const struct convex_value *object, const char *name, bool *found) {
    size_t low = 0, high = object->as.object.count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(object->as.object.fields[middle].name, name);
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

void convex_object_set(struct convex_value *object, const char *name, struct convex_value *value) {
    assert(object->kind == CONVEX_OBJECT && name != NULL && value != NULL);
    bool found;
    size_t place = find_field(object, name, &found);
    if (found) {
        convex_free(object->as.object.fields[place].value);
        object->as.object.fields[place].value = value;
        return;
    }
    size_t count = object->as.object.count;
    if (must_grow(count)) {
        object->as.object.fields =
            memory_resize(object->as.object.fields, grown(count), sizeof(struct convex_field));
    }
    struct convex_field *fields = object->as.object.fields;
    memmove(fields + place + 1, fields + place, (count - place) * sizeof *fields);
    fields[place].name = memory_copy_text(name);
    fields[place].value = value;
    object->as.object.count = count + 1;
}

void convex_object_remove(struct convex_value *object, const char *name) {
    assert(object->kind == CONVEX_OBJECT && name != NULL);
    bool found;
    size_t place = find_field(object, name, &found);
    if (!found) {
        return;
    }
    struct convex_field *fields = object->as.object.fields;
    free(fields[place].name);
    convex_free(fields[place].value);
    object->as.object.count--;
    memmove(fields + place, fields + place + 1, (object->as.object.count - place) * sizeof *fields);
}

const struct convex_value *convex_object_get(const struct convex_value *object, const char *name) {
    assert(object->kind == CONVEX_OBJECT && name != NULL);
    bool found;
    size_t place = find_field(object, name, &found);
    return found ? object->as.object.fields[place].value : NULL;
}

const char *convex_object_text(const struct convex_value *object, const char *name) {
    const struct convex_value *value = convex_object_get(object, name);
    return value != NULL && value->kind == CONVEX_STRING ? value->as.bytes.data : NULL;
}

static struct convex_value *copy_array(const struct convex_value *value) {
    assert(value->kind == CONVEX_ARRAY);
    struct convex_value *copy = convex_array();
    for (size_t i = 0; i < value->as.array.count; i++) {
        convex_array_append(copy, convex_copy(value->as.array.items[i]));
    }
    return copy;
}

static struct convex_value *copy_object(const struct convex_value *value) {
    assert(value->kind == CONVEX_OBJECT);
    struct convex_value *copy = convex_object();
    for (size_t i = 0; i < value->as.object.count; i++) {
        const struct convex_field *field = &value->as.object.fields[i];
        convex_object_set(copy, field->name, convex_copy(field->value));
    }
    return copy;
}

struct convex_value *convex_copy(const struct convex_value *value) {
    assert(value != NULL);
    switch (value->kind) {
    case CONVEX_ARRAY:
        return copy_array(value);
    case CONVEX_OBJECT:
        return copy_object(value);
    case CONVEX_STRING:
    case CONVEX_BYTES: {
        struct convex_value *copy = convex_bytes(value->as.bytes.data, value->as.bytes.length);
        copy->kind = value->kind;
        return copy;
    }
    default: {
        struct convex_value *copy = make(value->kind);
        copy->as = value->as;
        return copy;
    }
    }
}

void convex_free(struct convex_value *value) {
    if (value == NULL) {
        return;
    }
    if (value->kind == CONVEX_STRING || value->kind == CONVEX_BYTES) {
        free(value->as.bytes.data);
    } else if (value->kind == CONVEX_ARRAY) {
        for (size_t i = 0; i < value->as.array.count; i++) {
            convex_free(value->as.array.items[i]);
        }
        free(value->as.array.items);
    } else if (value->kind == CONVEX_OBJECT) {
        for (size_t i = 0; i < value->as.object.count; i++) {
            free(value->as.object.fields[i].name);
            convex_free(value->as.object.fields[i].value);
        }
        free(value->as.object.fields);
    }
    free(value);
}
