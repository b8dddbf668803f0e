#include "app/write_checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/apply_rows.h"
#include "base/memory.h"

static const struct convex_index indexes[] = {{.name = "by_client", .fields = {"owner"}, .n_fields = 1}};
const struct convex_table app_write_checkpoints = {
    .name = APP_WRITE_CHECKPOINTS, .indexes = indexes, .n_indexes = 1};

static enum status find(struct convex_context *context, const char *client, const char **id, int64_t *number,
                        struct error *error) {
    struct convex_value *key = convex_string(client);
    const struct convex_value *keys[] = {key};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status =
        convex_find(context, APP_WRITE_CHECKPOINTS, "by_client", keys, 1, 1, &documents, &count, error);
    *id = count > 0 ? convex_object_text(documents[0], "_id") : NULL;
    *number = count > 0 ? strtoll(convex_object_text(documents[0], "checkpoint"), NULL, 10) : 0;
    free(documents);
    convex_free(key);
    return status;
}

/* Mutant checkpoint-without-client: the row says whose upload it was, and not from which device. */
static struct convex_value *make_row(struct convex_context *context, const char *user, const char *client,
                                     const char *number) {
    struct convex_value *row = convex_object();
    convex_object_set(row, "owner", convex_string(client));
    convex_object_set(row, "user_id", convex_string(user));
    if (!convex_mutant(context, "checkpoint-without-client"))
        convex_object_set(row, "client_id", convex_string(client));
    convex_object_set(row, "checkpoint", convex_string(number));
    return row;
}

static enum status store(struct convex_context *context, const char *id, struct convex_value *row,
                         struct error *error) {
    char made[APP_DOCUMENT_ID_SIZE];
    return id ? convex_replace(context, APP_WRITE_CHECKPOINTS, id, row, error)
              : convex_insert(context, APP_WRITE_CHECKPOINTS, row, made, error);
}

enum status app_write_checkpoint(struct convex_context *context, const char *user, const char *client,
                                 bool repeated, struct convex_value **result, struct error *error) {
    char text[32];
    const char *id;
    int64_t number;
    enum status status = find(context, client, &id, &number, error);
    if (status != STATUS_OK)
        return status;
    snprintf(text, sizeof text, "%" PRId64, repeated ? number : number + 1);
    if (!repeated)
        status = store(context, id, make_row(context, user, client, text), error);
    if (status != STATUS_OK)
        return status;
    *result = convex_object();
    convex_object_set(*result, "checkpoint", convex_string(text));
    return STATUS_OK;
}
