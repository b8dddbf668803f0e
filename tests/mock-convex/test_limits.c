/* The table of limits: each value at its limit passes, one above is refused with the backend's name for it.
 */
#include "fixture.h"

#include "mock-convex/function/context.h"
#include "mock-convex/value/value_check.h"

/* Nested this many levels deep, the outermost an object. */
static struct convex_value *make_nested(size_t levels) {
    struct convex_value *value = convex_null();
    for (size_t i = 1; i < levels; i++) {
        struct convex_value *array = convex_array();
        convex_array_append(array, value);
        value = array;
    }
    struct convex_value *object = convex_object();
    convex_object_set(object, "a", value);
    return object;
}

static struct convex_value *make_array(size_t count) {
    struct convex_value *object = convex_object(), *array = convex_array();
    for (size_t i = 0; i < count; i++) {
        convex_array_append(array, convex_null());
    }
    convex_object_set(object, "a", array);
    return object;
}

static struct convex_value *make_fields(size_t count) {
    struct convex_value *object = convex_object();
    char name[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "f%zu", i);
        convex_object_set(object, name, convex_null());
    }
    return object;
}

/* An object of exactly this size: 2, "a" and its end 2, the string's 2, and its bytes. */
static struct convex_value *make_size(size_t size) {
    struct convex_value *object = convex_object();
    char *text = memory_allocate(size);
    memset(text, 'x', size);
    struct convex_value *string = convex_bytes(text, size - 6);
    string->kind = CONVEX_STRING;
    convex_object_set(object, "a", string);
    assert_int_equal(convex_size(object), size);
    free(text);
    return object;
}

static const struct {
    struct convex_value *(*make)(size_t amount);
    size_t limit;
    bool document; /* as one that is stored */
    const char *name;
} rows[] = {{make_size, (size_t)1 << 20, true, "InvalidDocumentError"},
            {make_nested, 16, true, "InvalidDocumentError"},
            {make_nested, 64, false, "TooNestedError"},
            {make_size, (size_t)32 << 20, false, "ValueTooLargeError"},
            {make_array, 8192, false, "ArrayTooLong"},
            {make_fields, 1024, false, "TooManyFieldsError"}};

static void test_values(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        for (size_t above = 0; above < 2; above++) {
            struct convex_value *value = rows[i].make(rows[i].limit + above);
            struct error error = {0};
            enum status status = rows[i].document ? convex_document_check(value, &error)
                                                  : convex_value_check(value, 64, &error);
            if (status != (above ? STATUS_INVALID : STATUS_OK) ||
                (above && strncmp(error.message, rows[i].name, strlen(rows[i].name)) != 0)) {
                fail_msg("%s at %zu: %s", rows[i].name, rows[i].limit + above, error.message);
            }
            convex_free(value);
        }
    }
}

/* --- one transaction --- */

/* {what, count}: so many of that. */
static enum status run_many(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    const char *what = convex_object_text(args, "what");
    size_t count = (size_t)convex_object_get(args, "count")->as.number;
    const struct convex_value **documents;
    enum status status = STATUS_OK;
    size_t found;
    char id[40];
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        if (strcmp(what, "write") == 0) {
            status = convex_insert(context, "pets", pet_make("a", "b"), id, error);
        } else if (strcmp(what, "write a MiB") == 0) {
            struct convex_value *big = make_size(((size_t)1 << 20) - 100);
            status = convex_insert(context, "pets", big, id, error);
        } else if (strcmp(what, "range") == 0) {
            struct convex_value *key = convex_float64((double)i);
            const struct convex_value *keys[] = {key};
            status = convex_find(context, "pets", "by_uuid", keys, 1, 1, &documents, &found, error);
            convex_free(key);
            free(documents);
        } else {
            status = convex_find(context, "pets", "by_creation_time", NULL, 0, SIZE_MAX, &documents, &found,
                                 error);
            free(documents);
        }
    }
    (void)result;
    return status;
}

static const struct {
    const char *what;
    int fits; /* one more does not */
    const char *name;
} amounts[] = {{"write", 16000, "TooManyWrites"},
               {"read 16000", 2, "TooManyDocumentsRead"},
               {"range", 4096, "TooManyReads"},
               {"write a MiB", 16, "TooManyBytesWritten"}};

static enum status run_amount(struct fixture *fixture, const char *what, int count, struct error *error) {
    struct convex_value *args = convex_object();
    convex_object_set(args, "what", convex_string(what));
    convex_object_set(args, "count", convex_float64(count));
    enum status status = convex_deployment_run(fixture->deployment, "pets:many", args, NULL, error);
    convex_free(args);
    return status;
}

static void test_transactions(void **state) {
    (void)state;
    static const struct convex_function many = {
        .path = "pets:many", .kind = CONVEX_MUTATION, .run = run_many};
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    struct error error = {0};
    options.functions = &many;
    options.n_functions = 1;
    fixture_deploy(fixture, &options);
    for (size_t i = 0; i < LENGTH_OF(amounts); i++) {
        const char *name = amounts[i].name;
        assert_int_equal(run_amount(fixture, amounts[i].what, amounts[i].fits, &error), STATUS_OK);
        assert_int_equal(run_amount(fixture, amounts[i].what, amounts[i].fits + 1, &error), STATUS_LIMIT);
        if (strncmp(error.message, name, strlen(name)) != 0) {
            fail_msg("%s: %s", name, error.message);
        }
    }
    /* 16 documents of almost a MiB are there now, among 16,000 small ones */
    assert_int_equal(run_amount(fixture, "read everything", 1, &error), STATUS_LIMIT);
    assert_memory_equal(error.message, "TooManyBytesRead", 16);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_transactions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
