#include "app/apply_rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIPTS_MOST = 1000 }; /* of one transaction in parts */

static const char deleted_at[] = "deletedAt";

enum status app_operation_kind(const char *op, enum client_operation_kind *kind, struct error *error) {
    static const char *const names[] = {
        [CLIENT_PUT] = "PUT", [CLIENT_PATCH] = "PATCH", [CLIENT_DELETE] = "DELETE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], op)) {
            *kind = (enum client_operation_kind)i;
            return STATUS_OK;
        }
    return error_set(error, STATUS_INVALID, "unknown operation %s", op);
}

/* --- rows --- */

/* The document of a client's row. */
struct found {
    char id[APP_DOCUMENT_ID_SIZE]; /* "": there is none */
    bool deleted;
    bool foreign; /* somebody else's */
};

static bool is_foreign(const struct convex_context *context, const struct app_row_operation *operation,
                       const struct convex_value *document) {
    const char *column = mapping_column(&operation->app->mapping, operation->table, COLUMN_OWNER);
    struct buffer field = {0};
    /* Mutant put-owner-only: whose row it is matters for PUT alone. */
    if (!column || !operation->user ||
        (operation->kind != CLIENT_PUT && convex_mutant(context, "put-owner-only")))
        return false;
    mapping_append_field(&field, &operation->app->mapping, column);
    const char *owner = convex_object_text(document, buffer_text(&field));
    buffer_free(&field);
    return !owner || strcmp(owner, operation->user) != 0;
}

static enum status find_document(struct convex_context *context, const struct app_row_operation *operation,
                                 struct found *found, struct error *error) {
    struct convex_value *key = convex_string(operation->id);
    const struct convex_value *keys[] = {key};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status =
        convex_find(context, operation->table, "by_uuid", keys, 1, 1, &documents, &count, error);
    *found = (struct found){0};
    if (status == STATUS_OK && count > 0) {
        const char *text = convex_object_text(documents[0], "_id");
        const struct convex_value *deleted = convex_object_get(documents[0], deleted_at);
        assert(text && strlen(text) < APP_DOCUMENT_ID_SIZE);
        snprintf(found->id, APP_DOCUMENT_ID_SIZE, "%s", text);
        found->deleted = operation->app->mapping.soft_delete && deleted && deleted->kind != CONVEX_NULL;
        found->foreign = is_foreign(context, operation, documents[0]);
    }
    free(documents);
    convex_free(key);
    return status;
}

/* Takes `fields`. */
static enum status put(struct convex_context *context, const struct app_row_operation *operation,
                       const char *document, struct convex_value *fields, struct error *error) {
    char id[APP_DOCUMENT_ID_SIZE];
    if (operation->app->mapping.soft_delete)
        convex_object_set(fields, deleted_at, convex_null());
    if (*document) {
        enum status status = convex_patch(context, operation->table, document, fields, error);
        convex_free(fields);
        return status;
    }
    convex_object_set(fields, "uuid", convex_string(operation->id));
    return convex_insert(context, operation->table, fields, id, error);
}

/* PUT or PATCH, after the app's backend has had its say. */
static enum status write_row(struct convex_context *context, const struct app_row_operation *operation,
                             const char *document, struct error *error) {
    struct app_arrival arrival = {.table = operation->table,
                                  .uuid = operation->id,
                                  .document = *document ? document : NULL,
                                  .fields = convex_copy(operation->fields)};
    enum status status = STATUS_OK;
    if (operation->app->receive)
        status = operation->app->receive(context, &arrival, error);
    const bool written = status == STATUS_OK && !arrival.dropped;
    if (written && operation->kind == CLIENT_PUT)
        return put(context, operation, document, arrival.fields, error);
    if (written)
        status = convex_patch(context, operation->table, document, arrival.fields, error);
    convex_free(arrival.fields);
    return status;
}

static enum status delete (struct convex_context *context, const struct app_row_operation *operation,
                           const char *document, struct error *error) {
    if (!operation->app->mapping.soft_delete) return convex_delete(context, operation->table, document,
                                                                   error);
    struct convex_value *mark = convex_object();
    convex_object_set(mark, deleted_at, convex_float64((double)convex_now_ms(context)));
    enum status status = convex_patch(context, operation->table, document, mark, error);
    convex_free(mark);
    return status;
}

/* Mutants: delete-again, a second DELETE sets a new time; patch-deleted, a PATCH changes what nobody sees. */
static bool leaves_deleted(const struct convex_context *context, const struct app_row_operation *operation) {
    return !convex_mutant(context, operation->kind == CLIENT_DELETE ? "delete-again" : "patch-deleted");
}

static void miss(const struct app_row_operation *operation) {
    struct buffer text = {0};
    if (operation->kind == CLIENT_DELETE || !operation->missed)
        return;
    buffer_printf(&text, "%s/%s", operation->table, operation->id);
    convex_array_append(operation->missed, convex_string(buffer_text(&text)));
    buffer_free(&text);
}

/* DELETE, after the app's backend has had its say. */
static enum status delete_row(struct convex_context *context, const struct app_row_operation *operation,
                              const char *document, struct error *error) {
    bool kept = false;
    enum status status = STATUS_OK;
    if (operation->app->remove)
        status = operation->app->remove(context, operation->table, operation->id, &kept, error);
    return status != STATUS_OK || kept ? status : delete (context, operation, document, error);
}

enum status app_apply_row(struct convex_context *context, const struct app_row_operation *operation,
                          struct error *error) {
    struct found found = {0};
    enum status status = STATUS_OK;
    if (!operation->insert_blindly)
        status = find_document(context, operation, &found, error);
    if (status != STATUS_OK)
        return status;
    if (found.foreign)
        return error_set(error, STATUS_INVALID, "%s %s is somebody else's", operation->table, operation->id);
    if (operation->kind != CLIENT_PUT &&
        (!*found.id || (found.deleted && leaves_deleted(context, operation)))) {
        miss(operation); /* somebody else may have been first; deleting wins */
        return STATUS_OK;
    }
    return operation->kind == CLIENT_DELETE ? delete_row(context, operation, found.id, error)
                                            : write_row(context, operation, found.id, error);
}

/* --- receipts --- */

static bool same_part(const struct convex_value *document, const char *op) {
    const char *stored = convex_object_text(document, "op_id");
    return op ? stored && !strcmp(stored, op) : !stored;
}

static enum status same_number(void *context, const struct convex_value *document, bool *passes,
                               struct error *error) {
    const struct app_receipt *receipt = context;
    const char *number = convex_object_text(document, "transaction_id");
    (void)error;
    *passes = number && !strcmp(number, receipt->transaction) && same_part(document, receipt->op);
    return STATUS_OK;
}

static void take_missed(const struct convex_value *receipt, struct convex_value **missed) {
    const struct convex_value *list = convex_object_get(receipt, "missed");
    if (list && !*missed)
        *missed = convex_copy(list);
}

static enum status find_number(struct convex_context *context, const struct app_receipt *receipt, bool *found,
                               struct convex_value **missed, struct error *error) {
    const struct convex_value **documents = NULL;
    size_t count = 0;
    const struct convex_range range = {
        .index = "by_id", .limit = 1, .filter = same_number, .filter_context = (void *)(uintptr_t)receipt};
    enum status status = convex_find_range(context, "upload_receipts", &range, &documents, &count, error);
    *found = count > 0;
    if (*found)
        take_missed(documents[0], missed);
    free(documents);
    return status;
}

enum status app_find_receipt(struct convex_context *context, const struct app_receipt *receipt,
                             enum app_dedupe dedupe, bool *found, struct convex_value **missed,
                             struct error *error) {
    *found = false;
    *missed = NULL;
    if (dedupe == APP_DEDUPE_NEVER)
        return STATUS_OK;
    if (dedupe == APP_DEDUPE_BY_NUMBER)
        return find_number(context, receipt, found, missed, error);
    struct convex_value *client = convex_string(receipt->client);
    struct convex_value *transaction = convex_string(receipt->transaction);
    const struct convex_value *keys[] = {client, transaction};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find(context, "upload_receipts", "by_client_transaction", keys, 2,
                                     RECEIPTS_MOST, &documents, &count, error);
    for (size_t i = 0; i < count; i++)
        if (same_part(documents[i], receipt->op)) {
            *found = true;
            take_missed(documents[i], missed);
        }
    free(documents);
    convex_free(client);
    convex_free(transaction);
    return status;
}

enum status app_insert_receipt(struct convex_context *context, const struct app_receipt *receipt,
                               struct error *error) {
    char id[APP_DOCUMENT_ID_SIZE];
    struct convex_value *document = convex_object();
    convex_object_set(document, "client_id", convex_string(receipt->client));
    convex_object_set(document, "transaction_id", convex_string(receipt->transaction));
    if (receipt->op) {
        convex_object_set(document, "op_id", convex_string(receipt->op));
        convex_object_set(document, "rows", convex_float64((double)receipt->rows));
    }
    if (receipt->missed && receipt->missed->as.array.count > 0)
        convex_object_set(document, "missed", convex_copy(receipt->missed));
    return convex_insert(context, "upload_receipts", document, id, error);
}
