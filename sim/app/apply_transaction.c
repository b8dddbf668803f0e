/* The Convex functions behind the upload paths. An upload can arrive twice (its answer was lost, the client
 * tried again), so the receipt is looked up and written in the same transaction as the rows: the second
 * arrival finds the receipt and changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "app/apply_rows.h"
#include "app/map_row.h"
#include "app/write_checkpoint.h"
#include "kernel/time.h"

/* One operation {"op","table","id",...} of the arguments. */
struct operation_head {
    const struct client_table *table;
    struct app_row_operation row;
};

static enum status read_head(const struct convex_value *operation, struct operation_head *head,
                             struct error *error) {
    const char *op = operation->kind == CONVEX_OBJECT ? convex_object_text(operation, "op") : NULL;
    *head = (struct operation_head){0};
    head->row.table = op ? convex_object_text(operation, "table") : NULL;
    head->row.id = op ? convex_object_text(operation, "id") : NULL;
    if (!op || !head->row.table || !head->row.id)
        return error_set(error, STATUS_INVALID, "an operation needs op, table and id");
    head->table = app_find_table(head->row.table, &head->row.app);
    if (!head->table)
        return error_set(error, STATUS_INVALID, "no table %s", head->row.table);
    return app_operation_kind(op, &head->row.kind, error);
}

/* The user who is signed in, as streams know him: the token's `sub`. NULL: nobody is. Mutant
 * identifier-as-user: what Convex calls a token's identifier, which has the issuer in front. */
static const char *caller(const struct convex_context *context) {
    const struct convex_value *user = convex_user(context);
    return user ? convex_object_text(user, convex_mutant(context, "identifier-as-user") ? "tokenIdentifier"
                                                                                        : "subject")
                : NULL;
}

/* A client's columns, mapped here. */
static enum status apply_columns(struct convex_context *context, const struct convex_value *operation,
                                 struct error *error) {
    const struct app_mapping_rules rules = {.user = caller(context)};
    struct operation_head head;
    enum status status = read_head(operation, &head, error);
    head.row.user = rules.user;
    if (status != STATUS_OK)
        return status;
    const struct convex_value *data = convex_object_get(operation, "data");
    if (data && data->kind != CONVEX_OBJECT && data->kind != CONVEX_NULL)
        return error_set(error, STATUS_INVALID, "data of %s is no object", head.row.id);
    if (data && data->kind == CONVEX_NULL)
        data = NULL;
    if (head.row.kind != CLIENT_DELETE)
        status = app_map_row(head.row.app, head.table, data, head.row.kind == CLIENT_PUT, &rules,
                             &head.row.fields, error);
    if (status == STATUS_OK)
        status = app_apply_row(context, &head.row, error);
    convex_free(head.row.fields);
    return status;
}

static bool is_listed(const struct convex_value *list, const char *text) {
    for (size_t i = 0; i < list->as.array.count; i++) {
        const struct convex_value *item = list->as.array.items[i];
        if (item->kind == CONVEX_STRING && !strcmp(item->as.bytes.data, text))
            return true;
    }
    return false;
}

/* Fields that a server has mapped. With `known`, the server has looked for the documents before. */
static enum status apply_fields(struct convex_context *context, const struct convex_value *args,
                                const struct convex_value *operation, struct convex_value *missed,
                                struct error *error) {
    const struct convex_value *known = convex_object_get(args, "known");
    struct operation_head head;
    enum status status = read_head(operation, &head, error);
    if (status != STATUS_OK)
        return status;
    const struct convex_value *fields = convex_object_get(operation, "fields");
    if (head.row.kind != CLIENT_DELETE && (!fields || fields->kind != CONVEX_OBJECT))
        return error_set(error, STATUS_INVALID, "%s without fields", head.row.id);
    head.row.fields = fields ? convex_copy(fields) : NULL;
    head.row.user = convex_object_text(args, "user");
    head.row.missed = missed;
    head.row.insert_blindly =
        known && known->kind == CONVEX_ARRAY && head.row.kind == CLIENT_PUT && !is_listed(known, head.row.id);
    status = app_apply_row(context, &head.row, error);
    convex_free(head.row.fields);
    return status;
}

/* --- what both functions do --- */

struct upload {
    struct app_receipt receipt;
    enum app_dedupe dedupe;
    const struct convex_value *operations;
    const char *checkpoint_for; /* the user who wants a custom write checkpoint; NULL: nobody does */
};

static enum status read_upload(const struct convex_value *args, struct upload *upload, struct error *error) {
    bool object = args && args->kind == CONVEX_OBJECT;
    *upload = (struct upload){0};
    if (object) {
        const char *dedupe = convex_object_text(args, "dedupe");
        upload->receipt.client = convex_object_text(args, "clientId");
        upload->receipt.transaction = convex_object_text(args, "transactionId");
        upload->checkpoint_for = convex_object_text(args, "checkpointFor");
        upload->receipt.op = convex_object_text(args, "opId");
        upload->operations = convex_object_get(args, "operations");
        upload->dedupe = !dedupe                        ? APP_DEDUPE_RIGHT
                         : !strcmp(dedupe, "by-number") ? APP_DEDUPE_BY_NUMBER
                                                        : APP_DEDUPE_NEVER;
    }
    if (!upload->receipt.client || !upload->receipt.transaction || !upload->operations ||
        upload->operations->kind != CONVEX_ARRAY)
        return error_set(error, STATUS_INVALID,
                         "an upload needs clientId, transactionId and a list of operations");
    upload->receipt.rows = upload->operations->as.array.count;
    return STATUS_OK;
}

/* The mutant `apply-later`: a backend that puts every other upload into a queue of its own, and answers. */
static enum status put_off(struct convex_context *context, const struct convex_value *args,
                           struct error *error) {
    char job[64];
    struct convex_value *again = convex_copy(args);
    convex_object_set(again, "queued", convex_boolean(true));
    enum status status =
        convex_schedule(context, 4 * TIME_SECOND, "sync:applyTransaction", again, job, error);
    convex_free(again);
    return status;
}

static bool is_put_off(const struct convex_context *context, const struct convex_value *args,
                       const struct upload *upload) {
    return convex_mutant(context, "apply-later") && strtoll(upload->receipt.transaction, NULL, 10) % 2 == 1 &&
           !convex_object_get(args, "queued");
}

enum status app_apply_transaction(struct convex_context *context, const struct convex_value *args,
                                  struct convex_value **result, struct error *error) {
    struct upload upload;
    struct convex_value *missed = NULL;
    bool done = false;
    *result = NULL;
    enum status status = read_upload(args, &upload, error);
    if (status == STATUS_OK && is_put_off(context, args, &upload))
        return put_off(context, args, error);
    if (status == STATUS_OK)
        status = app_find_receipt(context, &upload.receipt, upload.dedupe, &done, &missed, error);
    convex_free(missed);
    if (status == STATUS_OK && !done)
        status = app_insert_receipt(context, &upload.receipt, error);
    for (size_t i = 0; !done && status == STATUS_OK && i < upload.operations->as.array.count; i++)
        status = apply_columns(context, upload.operations->as.array.items[i], error);
    if (status == STATUS_OK && upload.checkpoint_for)
        status =
            app_write_checkpoint(context, upload.checkpoint_for, upload.receipt.client, done, result, error);
    return status;
}

/* Does the upload, and gives the rows that it missed (of the caller). */
static enum status apply_operations(struct convex_context *context, const struct convex_value *args,
                                    struct upload *upload, struct convex_value **missed,
                                    struct error *error) {
    enum status status = STATUS_OK;
    *missed = convex_array();
    for (size_t i = 0; status == STATUS_OK && i < upload->operations->as.array.count; i++)
        status = apply_fields(context, args, upload->operations->as.array.items[i], *missed, error);
    upload->receipt.missed = *missed;
    return status == STATUS_OK ? app_insert_receipt(context, &upload->receipt, error) : status;
}

enum status app_apply_upload(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    struct upload upload;
    struct convex_value *missed = NULL;
    bool done = false;
    *result = NULL;
    enum status status = read_upload(args, &upload, error);
    if (status == STATUS_OK)
        status = app_find_receipt(context, &upload.receipt, upload.dedupe, &done, &missed, error);
    if (status == STATUS_OK && !done)
        status = apply_operations(context, args, &upload, &missed, error);
    if (status == STATUS_OK && missed && missed->as.array.count > 0) {
        *result = convex_object();
        convex_object_set(*result, "missed", convex_copy(missed));
    }
    convex_free(missed);
    return status;
}

static enum status list_known(struct convex_context *context, const struct convex_value *operations,
                              struct convex_value *known, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < operations->as.array.count; i++) {
        struct operation_head head;
        const struct convex_value **documents = NULL;
        size_t count = 0;
        status = read_head(operations->as.array.items[i], &head, error);
        if (status != STATUS_OK)
            break;
        struct convex_value *key = convex_string(head.row.id);
        const struct convex_value *keys[] = {key};
        status = convex_find(context, head.row.table, "by_uuid", keys, 1, 1, &documents, &count, error);
        if (count > 0)
            convex_array_append(known, convex_string(head.row.id));
        free(documents);
        convex_free(key);
    }
    return status;
}

enum status app_find_upload(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    struct upload upload;
    struct convex_value *missed = NULL;
    bool done = false;
    *result = NULL;
    enum status status = read_upload(args, &upload, error);
    if (status == STATUS_OK)
        status = app_find_receipt(context, &upload.receipt, APP_DEDUPE_RIGHT, &done, &missed, error);
    convex_free(missed);
    if (status != STATUS_OK)
        return status;
    struct convex_value *known = convex_array();
    status = list_known(context, upload.operations, known, error);
    *result = convex_object();
    convex_object_set(*result, "done", convex_boolean(done));
    convex_object_set(*result, "known", known);
    return status;
}
