/* Order, size and nesting of values; see value.h and value_check.h. */
#include <assert.h>
#include <string.h>

#include "mock-convex/value/name.h"
#include "mock-convex/value/value_check.h"

static int compare_integers(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}

uint64_t convex_float_order(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static int compare_floats(double a, double b) {
    uint64_t left = convex_float_order(a), right = convex_float_order(b);
    return left < right ? -1 : left > right;
}

static int compare_runs(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return a_length < b_length ? -1 : a_length > b_length;
}

static int compare_arrays(const struct convex_value *a, const struct convex_value *b) {
    size_t a_count = a->as.array.count, b_count = b->as.array.count;
    for (size_t i = 0; i < a_count && i < b_count; i++) {
        int order = convex_compare(a->as.array.items[i], b->as.array.items[i]);
        if (order != 0) {
            return order;
        }
    }
    return a_count < b_count ? -1 : a_count > b_count;
}

static int compare_objects(const struct convex_value *a, const struct convex_value *b) {
    size_t a_count = a->as.object.count, b_count = b->as.object.count;
    for (size_t i = 0; i < a_count && i < b_count; i++) {
        const struct convex_field *left = &a->as.object.fields[i], *right = &b->as.object.fields[i];
        int order = compare_runs(left->name, strlen(left->name), right->name, strlen(right->name));
        if (order == 0) {
            order = convex_compare(left->value, right->value);
        }
        if (order != 0) {
            return order;
        }
    }
    return a_count < b_count ? -1 : a_count > b_count;
}

int convex_compare(const struct convex_value *a, const struct convex_value *b) {
    assert(a != NULL && b != NULL);
    if (a->kind != b->kind) { /* the kinds are declared in the backend's order */
        return a->kind < b->kind ? -1 : 1;
    }
    switch (a->kind) {
    case CONVEX_INT64:
        return compare_integers(a->as.integer, b->as.integer);
    case CONVEX_FLOAT64:
        return compare_floats(a->as.number, b->as.number);
    case CONVEX_BOOLEAN:
        return compare_integers(a->as.boolean, b->as.boolean);
    case CONVEX_STRING:
    case CONVEX_BYTES:
        return compare_runs(a->as.bytes.data, a->as.bytes.length, b->as.bytes.data, b->as.bytes.length);
    case CONVEX_ARRAY:
        return compare_arrays(a, b);
    case CONVEX_OBJECT:
        return compare_objects(a, b);
    default:
        return 0;
    }
}

size_t convex_size(const struct convex_value *value) {
    size_t size = 2;
    switch (value->kind) {
    case CONVEX_INT64:
    case CONVEX_FLOAT64:
        return 9;
    case CONVEX_STRING:
    case CONVEX_BYTES:
        return value->as.bytes.length + 2;
    case CONVEX_ARRAY:
        for (size_t i = 0; i < value->as.array.count; i++) {
            size += convex_size(value->as.array.items[i]);
        }
        return size;
    case CONVEX_OBJECT:
        for (size_t i = 0; i < value->as.object.count; i++) {
            const struct convex_field *field = &value->as.object.fields[i];
            size += strlen(field->name) + 1 + convex_size(field->value);
        }
        return size;
    default:
        return 1;
    }
}

/* Checks one container's own counts and names; `depth` is how many containers are around it, itself included.
 */
static enum status check_container(const struct convex_value *value, int depth, int nesting_max,
                                   struct error *error) {
    if (depth > nesting_max) {
        const char *name =
            nesting_max == CONVEX_DOCUMENT_NESTING_MAX ? "InvalidDocumentError" : "TooNestedError";
        return error_set(error, STATUS_INVALID, "%s: more than %d levels", name, nesting_max);
    }
    if (value->kind == CONVEX_ARRAY && value->as.array.count > CONVEX_ARRAY_MAX) {
        return error_set(error, STATUS_INVALID, "ArrayTooLong: %zu items, the limit is %d",
                         value->as.array.count, CONVEX_ARRAY_MAX);
    }
    if (value->kind == CONVEX_OBJECT && value->as.object.count > CONVEX_FIELDS_MAX) {
        return error_set(error, STATUS_INVALID, "TooManyFieldsError: %zu fields, the limit is %d",
                         value->as.object.count, CONVEX_FIELDS_MAX);
    }
    return STATUS_OK;
}

static enum status check_levels(const struct convex_value *value, int depth, int nesting_max,
                                struct error *error) {
    if (value->kind == CONVEX_UNDEFINED) {
        return error_set(error, STATUS_INVALID, "undefined is not a value");
    }
    if (value->kind != CONVEX_ARRAY && value->kind != CONVEX_OBJECT) {
        return STATUS_OK;
    }
    enum status status = check_container(value, depth + 1, nesting_max, error);
    if (value->kind == CONVEX_ARRAY) {
        for (size_t i = 0; status == STATUS_OK && i < value->as.array.count; i++) {
            status = check_levels(value->as.array.items[i], depth + 1, nesting_max, error);
        }
        return status;
    }
    for (size_t i = 0; status == STATUS_OK && i < value->as.object.count; i++) {
        const struct convex_field *field = &value->as.object.fields[i];
        if (!convex_name_is_field(field->name)) {
            return error_set(error, STATUS_INVALID, "the field name '%.64s' is not allowed", field->name);
        }
        status = check_levels(field->value, depth + 1, nesting_max, error);
    }
    return status;
}

enum status convex_value_check(const struct convex_value *value, int nesting_max, struct error *error) {
    assert(value != NULL && nesting_max > 0);
    enum status status = check_levels(value, 0, nesting_max, error);
    if (status == STATUS_OK && convex_size(value) > CONVEX_VALUE_SIZE_MAX) {
        return error_set(error, STATUS_INVALID, "ValueTooLargeError: the limit is 32 MiB");
    }
    return status;
}

enum status convex_document_check(const struct convex_value *document, struct error *error) {
    assert(document != NULL);
    if (document->kind != CONVEX_OBJECT) {
        return error_set(error, STATUS_INVALID, "InvalidDocumentError: a document must be an object");
    }
    for (size_t i = 0; i < document->as.object.count; i++) {
        const char *name = document->as.object.fields[i].name;
        if (name[0] == '_' && strcmp(name, "_id") != 0 && strcmp(name, "_creationTime") != 0) {
            return error_set(error, STATUS_INVALID, "InvalidDocumentError: the field '%.64s' is reserved",
                             name);
        }
    }
    enum status status = convex_value_check(document, CONVEX_DOCUMENT_NESTING_MAX, error);
    if (status == STATUS_OK && convex_size(document) > CONVEX_DOCUMENT_SIZE_MAX) {
        return error_set(error, STATUS_INVALID, "InvalidDocumentError: a document may have at most 1 MiB");
    }
    return status;
}
