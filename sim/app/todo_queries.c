/* What the to-do app's screens ask the deployment for. */
#include <assert.h>
#include <stdlib.h>

#include "app/todo.h"

enum status todo_get_list(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error) {
    const struct convex_value *uuid = convex_object_get(args, "uuid");
    const struct convex_value **documents = NULL;
    size_t count = 0;
    assert(result);
    if (!uuid || uuid->kind != CONVEX_STRING)
        return error_set(error, STATUS_INVALID, "todo:getList needs the uuid of a list");
    enum status status = convex_find(context, "lists", "by_uuid", &uuid, 1, 1, &documents, &count, error);
    if (status != STATUS_OK)
        return status;
    *result = count > 0 ? convex_copy(documents[0]) : convex_null();
    free(documents);
    return STATUS_OK;
}

/* The newest lists first, as an overview screen has them. */
enum status todo_list_lists(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    const struct convex_value **documents = NULL;
    size_t count = 0;
    (void)args;
    enum status status =
        convex_find(context, "lists", "by_creation_time", NULL, 0, 1000, &documents, &count, error);
    if (status != STATUS_OK)
        return status;
    *result = convex_array();
    for (size_t i = count; i > 0 && count - i < 20; i--)
        convex_array_append(*result, convex_copy(documents[i - 1]));
    free(documents);
    return STATUS_OK;
}

enum status todo_import_list(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    return convex_run_mutation(context, "todo:addList", args, result, error);
}
