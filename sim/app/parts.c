#include "app/parts.h"

#include <assert.h>
#include <stdlib.h>

const struct convex_index app_by_uuid[1] = {{"by_uuid", {"uuid"}, 1}};
const struct convex_index app_by_client_transaction[1] = {
    {"by_client_transaction", {"client_id", "transaction_id"}, 2}};

enum status app_insert_rows(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    char id[64];
    enum status status = STATUS_OK;
    *result = NULL;
    if (!args || args->kind != CONVEX_OBJECT)
        return error_set(error, STATUS_INVALID, "app:plant needs lists of documents by table");
    for (size_t t = 0; t < args->as.object.count; t++) {
        const struct convex_value *list = args->as.object.fields[t].value;
        if (list->kind != CONVEX_ARRAY)
            return error_set(error, STATUS_INVALID, "app:plant: %s is no list",
                             args->as.object.fields[t].name);
        for (size_t i = 0; status == STATUS_OK && i < list->as.array.count; i++)
            status = convex_insert(context, args->as.object.fields[t].name,
                                   convex_copy(list->as.array.items[i]), id, error);
    }
    return status;
}

enum status app_plant(struct convex_deployment *deployment, struct convex_value *rows, struct error *error) {
    enum status status = convex_deployment_run(deployment, "app:plant", rows, NULL, error);
    convex_free(rows);
    return status;
}

struct convex_value *app_plant_row(struct convex_value *rows, const char *table, const char *uuid) {
    const struct convex_value *list = convex_object_get(rows, table);
    if (!list) {
        convex_object_set(rows, table, convex_array());
        list = convex_object_get(rows, table);
    }
    struct convex_value *document = convex_object();
    convex_object_set(document, "uuid", convex_string(uuid));
    convex_array_append((struct convex_value *)(uintptr_t)list, document);
    return document;
}

enum status app_row(struct convex_context *context, const char *table, const char *uuid,
                    const struct convex_value **document, struct error *error) {
    struct convex_value *key = convex_string(uuid);
    const struct convex_value *keys[] = {key};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find(context, table, "by_uuid", keys, 1, 1, &documents, &count, error);
    *document = status == STATUS_OK && count > 0 ? documents[0] : NULL;
    free(documents);
    convex_free(key);
    return status;
}

int64_t app_whole(const struct convex_value *document, const char *field) {
    const struct convex_value *value = convex_object_get(document, field);
    if (value && value->kind == CONVEX_INT64)
        return value->as.integer;
    return value && value->kind == CONVEX_FLOAT64 ? (int64_t)value->as.number : 0;
}

enum status app_set_whole(struct convex_context *context, const char *table, const char *id,
                          const char *field, int64_t value, struct error *error) {
    struct convex_value *patch = convex_object();
    convex_object_set(patch, field, convex_float64((double)value));
    enum status status = convex_patch(context, table, id, patch, error);
    convex_free(patch);
    return status;
}
