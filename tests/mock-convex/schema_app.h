/* Test support: an app whose functions do what their arguments say, for tests of schemas. */
#ifndef TESTS_MOCK_CONVEX_SCHEMA_APP_H
#define TESTS_MOCK_CONVEX_SCHEMA_APP_H

#include "fixture.h"

#include "mock-convex/validator.h"

static inline enum status app_insert(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    char id[40];
    enum status status = convex_insert(context, convex_object_text(args, "table"),
                                       convex_copy(convex_object_get(args, "document")), id, error);
    if (status == STATUS_OK && convex_object_get(args, "throws") != NULL) {
        return error_set(error, STATUS_INVALID, "after the insert");
    }
    *result = status == STATUS_OK ? convex_string(id) : NULL;
    return status;
}

static inline enum status app_patch(struct convex_context *context, const struct convex_value *args,
                                    struct convex_value **result, struct error *error) {
    (void)result;
    return convex_patch(context, convex_object_text(args, "table"), convex_object_text(args, "id"),
                        convex_object_get(args, "document"), error);
}

static inline enum status app_replace(struct convex_context *context, const struct convex_value *args,
                                      struct convex_value **result, struct error *error) {
    (void)result;
    return convex_replace(context, convex_object_text(args, "table"), convex_object_text(args, "id"),
                          convex_copy(convex_object_get(args, "document")), error);
}

/* {table, index?, key?}: the documents. */
static inline enum status app_list(struct convex_context *context, const struct convex_value *args,
                                   struct convex_value **result, struct error *error) {
    const char *index = convex_object_text(args, "index");
    const struct convex_value *key = convex_object_get(args, "key");
    const struct convex_value **documents;
    size_t count;
    enum status status =
        convex_find(context, convex_object_text(args, "table"), index != NULL ? index : "by_creation_time",
                    &key, key != NULL, SIZE_MAX, &documents, &count, error);
    if (status == STATUS_OK) {
        *result = convex_array();
        for (size_t i = 0; i < count; i++) {
            convex_array_append(*result, convex_copy(documents[i]));
        }
    }
    free(documents);
    return status;
}

static inline enum status app_version(struct convex_context *context, const struct convex_value *args,
                                      struct convex_value **result, struct error *error) {
    (void)args;
    (void)error;
    *result = convex_float64(*(const double *)convex_data(context));
    return STATUS_OK;
}

static const double app_one = 1, app_two = 2;
#define APP_FUNCTIONS(version)                                                                               \
    {.path = "app:insert", .kind = CONVEX_MUTATION, .run = app_insert},                                      \
        {.path = "app:patch", .kind = CONVEX_MUTATION, .run = app_patch},                                    \
        {.path = "app:replace", .kind = CONVEX_MUTATION, .run = app_replace},                                \
        {.path = "app:list", .kind = CONVEX_QUERY, .run = app_list}, {                                       \
        .path = "app:version", .kind = CONVEX_QUERY, .run = app_version, .data = (version)                   \
    }
static const struct convex_function app_first[] = {
    APP_FUNCTIONS(&app_one), {.path = "app:old", .kind = CONVEX_QUERY, .run = app_version, .data = &app_one}};
static const struct convex_function app_second[] = {APP_FUNCTIONS(&app_two)};

static inline struct convex_validator *app_validator(const char *text) {
    struct convex_validator *validator = NULL;
    json_t *json = json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    assert_int_equal(convex_validator_from_json(json, &validator, NULL, NULL), STATUS_OK);
    json_decref(json);
    return validator;
}

static inline struct fixture *app_deploy(const struct convex_table *tables, size_t count, bool schemaless) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.deploy_key = "dev:syncline-1|0123456789abcdef"; /* errors are shown */
    options.tables = tables;
    options.n_tables = count;
    options.schemaless = schemaless;
    options.functions = app_first;
    options.n_functions = LENGTH_OF(app_first);
    fixture_deploy(fixture, &options);
    return fixture;
}

/* Run a function; its result as format=json text in `out`, or the message of its error. */
static inline enum status app_run(struct fixture *fixture, const char *path, const char *args,
                                  struct buffer *out) {
    struct convex_value *value = NULL, *result = NULL;
    struct error error = {0};
    json_t *json = json_parse(args, strlen(args), NULL);
    assert_non_null(json);
    assert_int_equal(convex_from_json(json, &value, NULL), STATUS_OK);
    enum status status = convex_deployment_run(fixture->deployment, path, value, &result, &error);
    buffer_clear(out);
    if (status == STATUS_OK) {
        convex_append_json(out, result, CONVEX_FORMAT_JSON);
    } else {
        buffer_append_text(out, error.message);
    }
    convex_free(value);
    convex_free(result);
    json_decref(json);
    return status;
}

/* Insert a document and remember its id. */
static inline void app_add(struct fixture *fixture, const char *table, const char *document, char id[40]) {
    struct buffer out = {0}, args = {0};
    buffer_printf(&args, "{\"table\":\"%s\",\"document\":%s}", table, document);
    if (app_run(fixture, "app:insert", buffer_text(&args), &out) != STATUS_OK) {
        fail_msg("%s: %s", buffer_text(&args), buffer_text(&out));
    }
    snprintf(id, 40, "%.*s", (int)out.length - 2, out.data + 1); /* without quotes */
    buffer_free(&out);
    buffer_free(&args);
}

/* How many documents a query of the table finds; -1: it fails. */
static inline int app_count(struct fixture *fixture, const char *args) {
    struct buffer out = {0};
    int count = -1;
    if (app_run(fixture, "app:list", args, &out) == STATUS_OK) {
        json_t *json = json_parse(out.data, out.length, NULL);
        count = (int)json_array_size(json);
        json_decref(json);
    }
    buffer_free(&out);
    return count;
}

#endif
