/* Fuzz target: values and validators. The input is JSON, a list: a validator and up to 8 values in encoded
 * form.
 *
 * Checked for any input: nothing crashes; a refusal has a reason; an accepted value printed in encoded form
 * reads back as the same value and prints the same; clean JSON, read and printed again, is the same text;
 * the order is total and agrees with the order of index keys; sizes are as section "sizes" of the backend's
 * rules says; a validator that takes a value takes it in a union, an array and an object as well. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-convex/store/index_key.h"
#include "mock-convex/validator.h"
#include "mock-convex/value/value_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUES_MOST = 8 };

/* null and booleans 1; numbers 9; texts and bytes 2 + length; lists 2 + items; objects 2 + fields, each name
 * + 1 + value. */
static size_t size_of(const struct convex_value *value) {
    size_t size = 2;
    switch (value->kind) {
    case CONVEX_NULL:
    case CONVEX_BOOLEAN:
        return 1;
    case CONVEX_INT64:
    case CONVEX_FLOAT64:
        return 9;
    case CONVEX_STRING:
    case CONVEX_BYTES:
        return 2 + value->as.bytes.length;
    case CONVEX_ARRAY:
        for (size_t i = 0; i < value->as.array.count; i++) {
            size += size_of(value->as.array.items[i]);
        }
        return size;
    case CONVEX_OBJECT:
        for (size_t i = 0; i < value->as.object.count; i++) {
            size += strlen(value->as.object.fields[i].name) + 1 + size_of(value->as.object.fields[i].value);
        }
        return size;
    default:
        abort(); /* undefined is no value */
    }
}

/* Printed in `format`, read, printed again: the same text. The value that was read is the caller's. */
static struct convex_value *print_and_read(const struct convex_value *value, enum convex_format format) {
    struct buffer first = {0}, second = {0};
    struct convex_value *read = NULL;
    convex_append_json(&first, value, format);
    json_t *json = json_parse(buffer_text(&first), first.length, NULL);
    assert(json != NULL);
    if (format != CONVEX_FORMAT_EXPORT) { /* whose integers are floats when they are read */
        enum status status = convex_from_json(json, &read, NULL);
        assert(status == STATUS_OK);
        (void)status;
        convex_append_json(&second, read, format);
        assert(strcmp(buffer_text(&first), buffer_text(&second)) == 0);
    }
    json_decref(json);
    buffer_free(&first);
    buffer_free(&second);
    return read;
}

static void check_value(const struct convex_value *value) {
    struct convex_value *copy = convex_copy(value);
    assert(convex_compare(value, copy) == 0 && convex_size(value) == size_of(value));
    assert(convex_value_check(value, CONVEX_NESTING_MAX, NULL) == STATUS_OK);
    convex_free(copy);
    struct convex_value *read = print_and_read(value, CONVEX_FORMAT_ENCODED);
    assert(convex_compare(value, read) == 0);
    convex_free(read);
    convex_free(print_and_read(value, CONVEX_FORMAT_JSON));
    convex_free(print_and_read(value, CONVEX_FORMAT_EXPORT));
}

static int sign(int number) {
    return (number > 0) - (number < 0);
}

static int compare_keys(const struct convex_value *a, const struct convex_value *b) {
    struct buffer left = {0}, right = {0};
    convex_index_key_append(&left, a);
    convex_index_key_append(&right, b);
    size_t shared = left.length < right.length ? left.length : right.length;
    int order = memcmp(buffer_text(&left), buffer_text(&right), shared);
    assert(order != 0 || left.length == right.length); /* no key begins another one */
    buffer_free(&left);
    buffer_free(&right);
    return sign(order);
}

static void check_order(struct convex_value *const *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            int order = sign(convex_compare(values[i], values[j]));
            assert(order == -sign(convex_compare(values[j], values[i])));
            assert(order == compare_keys(values[i], values[j]));
            for (size_t k = 0; order < 0 && k < count; k++) {
                assert(convex_compare(values[j], values[k]) > 0 || convex_compare(values[i], values[k]) < 0);
            }
        }
    }
}

/* The validator as a part of others, made from the same JSON, on values around `value`. */
static void check_inside(const json_t *json, const struct convex_value *value, bool fits) {
    json_t *part = json_pack("{s:{s:O,s:{s:[s,O]},s:{s:O}}}", "object", "item", json, "other?", "union",
                             "null", json, "list", "array", json);
    struct convex_validator *validator = NULL;
    struct convex_value *object = convex_object(), *list = convex_array();
    convex_object_set(object, "item", convex_copy(value));
    convex_object_set(object, "other", convex_copy(value));
    convex_array_append(list, convex_copy(value));
    convex_object_set(object, "list", list);
    if (convex_validator_from_json(part, &validator, NULL, NULL) == STATUS_OK) { /* else: too deep by now */
        struct error error = {0};
        bool inside = convex_validate(validator, object, NULL, &error) == STATUS_OK;
        assert(inside == fits && (inside || error.message[0] != 0));
        convex_object_remove(object, "other");
        assert((convex_validate(validator, object, NULL, NULL) == STATUS_OK) == fits);
        convex_object_remove(object, "item");
        assert(convex_validate(validator, object, NULL, NULL) == STATUS_INVALID);
        convex_validator_free(validator);
    }
    convex_free(object);
    json_decref(part);
}

static void check_validator(const json_t *json, struct convex_value *const *values, size_t count) {
    struct convex_validator *validator = NULL;
    struct error error = {0};
    struct buffer text = {0};
    if (convex_validator_from_json(json, &validator, NULL, &error) != STATUS_OK) {
        assert(error.message[0] != 0 && validator == NULL);
        return;
    }
    convex_validator_describe(validator, &text);
    assert(strncmp(buffer_text(&text), "v.", 2) == 0);
    for (size_t i = 0; i < count; i++) {
        bool fits = convex_validate(validator, values[i], NULL, &error) == STATUS_OK;
        assert(fits || error.message[0] != 0);
        check_inside(json, values[i], fits);
    }
    convex_validator_free(validator);
    buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct convex_value *values[VALUES_MOST] = {NULL};
    size_t count = 0;
    json_t *json = json_parse((const char *)data, size, NULL), *item;
    size_t index;
    json_array_foreach(json, index, item) {
        struct error error = {0};
        if (index == 0 || count == VALUES_MOST) {
            continue;
        }
        if (convex_from_json(item, &values[count], &error) == STATUS_OK) {
            check_value(values[count++]);
        } else {
            assert(error.message[0] != 0);
        }
    }
    check_order(values, count);
    if (json_array_size(json) > 0) {
        check_validator(json_array_get(json, 0), values, count);
    }
    for (size_t i = 0; i < count; i++) {
        convex_free(values[i]);
    }
    json_decref(json);
    return 0;
}
