#include "mock-convex/function/checkpoint_function.h"

#include <stdlib.h>

#include "mock-convex/value/document_id.h"

#define TABLE "powersync_checkpoints"

/* The first document gets the present millisecond, or is made. Two calls in the same millisecond leave one
 * revision only, because a patch that changes nothing writes nothing. */
static enum status create_checkpoint(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    const struct convex_value **documents;
    size_t count;
    char id[CONVEX_ID_TEXT_MAX];
    (void)args;
    (void)result;
    enum status status =
        convex_find(context, TABLE, "by_creation_time", NULL, 0, 1, &documents, &count, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct convex_value *fields = convex_object();
    convex_object_set(fields, "last_updated", convex_float64((double)convex_now_ms(context)));
    if (count == 0) {
        status = convex_insert(context, TABLE, fields, id, error);
    } else {
        status = convex_patch(context, TABLE, convex_object_text(documents[0], "_id"), fields, error);
        convex_free(fields);
    }
    free(documents);
    return status;
}

const struct convex_table convex_checkpoint_table = {.name = TABLE};
const struct convex_function convex_checkpoint_function = {
    .path = "powersync_checkpoints:createCheckpoint", .kind = CONVEX_MUTATION, .run = create_checkpoint};
