/* The Convex mutation behind upload_convex_mutation. An upload can arrive twice (its answer was lost, the
 * client tried again), so the receipt is looked up and written in the same transaction as the rows: the
 * second arrival finds the receipt and changes nothing. Client ids map to documents by the index `by_uuid`;
 * looking up and inserting in one transaction also keeps two concurrent arrivals from inserting twice, as one
 * of them is run again. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "kernel/time.h"

enum { DOCUMENT_ID_SIZE = 64 };

static const struct client_table *find_table(const char *name, const struct app **owner) {
    for (size_t a = 0; app_all()[a]; a++)
        for (size_t t = 0; t < app_all()[a]->schema->n_tables; t++)
            if (!strcmp(app_all()[a]->schema->tables[t].name, name)) {
                *owner = app_all()[a];
                return &app_all()[a]->schema->tables[t];
            }
    return NULL;
}

static bool is_boolean(const struct app *app, const char *table, const char *column) {
    size_t length = strlen(table);
    for (size_t i = 0; app->boolean_columns[i]; i++) {
        const char *name = app->boolean_columns[i];
        if (!strncmp(name, table, length) && name[length] == '.' && !strcmp(name + length + 1, column))
            return true;
    }
    return false;
}

static bool as_number(const struct convex_value *value, double *number) {
    if (value->kind == CONVEX_INT64)
        *number = (double)value->as.integer;
    else if (value->kind == CONVEX_FLOAT64)
        *number = value->as.number;
    else
        return false;
    return true;
}

/* A column's value as the document keeps it: SQLite's integers for booleans become booleans, numbers become
 * Float64 (what a JavaScript function would store), text and null stay. */
static enum status map_value(const struct app *app, const struct client_table *table,
                             const struct client_column *column, const struct convex_value *value,
                             struct convex_value **mapped, struct error *error) {
    double number = 0;
    *mapped = NULL;
    if (!value || value->kind == CONVEX_NULL)
        *mapped = convex_null();
    else if (is_boolean(app, table->name, column->name)) {
        if (value->kind == CONVEX_BOOLEAN)
            *mapped = convex_boolean(value->as.boolean);
        else if (as_number(value, &number))
            *mapped = convex_boolean(number < 0 || number > 0);
    } else if (!strcmp(column->type, "text")) {
        if (value->kind == CONVEX_STRING)
            *mapped = convex_copy(value);
    } else if (as_number(value, &number)) {
        *mapped = convex_float64(number);
    }
    if (!*mapped)
        return error_set(error, STATUS_INVALID, "%s.%s: the value does not fit the column's type %s",
                         table->name, column->name, column->type);
    return STATUS_OK;
}

/* The fields that an operation sets. PUT states the whole row: columns it leaves out are null. PATCH states
 * only what changes. */
static enum status map_fields(const struct app *app, const struct client_table *table,
                              const struct convex_value *data, bool whole, struct convex_value **fields,
                              struct error *error) {
    *fields = convex_object();
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct client_column *column = &table->columns[i];
        const struct convex_value *value = data ? convex_object_get(data, column->name) : NULL;
        if (!value && !whole)
            continue;
        struct convex_value *mapped;
        enum status status = map_value(app, table, column, value, &mapped, error);
        if (status != STATUS_OK) {
            convex_free(*fields);
            *fields = NULL;
            return status;
        }
        convex_object_set(*fields, column->name, mapped);
    }
    return STATUS_OK;
}

/* The document of a client's row: its _id in `id`, or "" when there is none. */
static enum status find_document(struct convex_context *context, const char *table, const char *uuid,
                                 char id[DOCUMENT_ID_SIZE], struct error *error) {
    struct convex_value *key = convex_string(uuid);
    const struct convex_value *keys[] = {key};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find(context, table, "by_uuid", keys, 1, 1, &documents, &count, error);
    id[0] = '\0';
    if (status == STATUS_OK && count > 0) {
        const char *text = convex_object_text(documents[0], "_id");
        assert(text && strlen(text) < DOCUMENT_ID_SIZE);
        snprintf(id, DOCUMENT_ID_SIZE, "%s", text);
    }
    free(documents);
    convex_free(key);
    return status;
}

static enum status put(struct convex_context *context, const char *table, const char *uuid,
                       const char *document, struct convex_value *fields, struct error *error) {
    char id[DOCUMENT_ID_SIZE];
    if (*document) {
        enum status status = convex_patch(context, table, document, fields, error);
        convex_free(fields);
        return status;
    }
    convex_object_set(fields, "uuid", convex_string(uuid));
    return convex_insert(context, table, fields, id, error);
}

static enum status apply_operation(struct convex_context *context, const struct convex_value *operation,
                                   struct error *error) {
    const char *op = operation->kind == CONVEX_OBJECT ? convex_object_text(operation, "op") : NULL;
    const char *table_name = op ? convex_object_text(operation, "table") : NULL;
    const char *uuid = op ? convex_object_text(operation, "id") : NULL;
    if (!op || !table_name || !uuid)
        return error_set(error, STATUS_INVALID, "an operation needs op, table and id");
    const struct app *app = NULL;
    const struct client_table *table = find_table(table_name, &app);
    if (!table)
        return error_set(error, STATUS_INVALID, "no table %s", table_name);
    bool is_put = !strcmp(op, "PUT"), is_patch = !strcmp(op, "PATCH"), is_delete = !strcmp(op, "DELETE");
    if (!is_put && !is_patch && !is_delete)
        return error_set(error, STATUS_INVALID, "unknown operation %s", op);

    char document[DOCUMENT_ID_SIZE];
    enum status status = find_document(context, table_name, uuid, document, error);
    if (status != STATUS_OK)
        return status;
    if (is_delete) /* somebody else may have been first */
        return *document ? convex_delete(context, table_name, document, error) : STATUS_OK;
    if (is_patch && !*document) /* changed here while deleted there: deleting wins */
        return STATUS_OK;

    const struct convex_value *data = convex_object_get(operation, "data");
    if (data && data->kind != CONVEX_OBJECT && data->kind != CONVEX_NULL)
        return error_set(error, STATUS_INVALID, "data of %s %s is no object", op, uuid);
    if (data && data->kind == CONVEX_NULL)
        data = NULL;
    struct convex_value *fields;
    status = map_fields(app, table, data, is_put, &fields, error);
    if (status != STATUS_OK)
        return status;
    struct app_arrival arrival = {.table = table_name,
                                  .uuid = uuid,
                                  .document = *document ? document : NULL,
                                  .is_put = is_put,
                                  .fields = fields};
    if (app->receive)
        status = app->receive(context, &arrival, error);
    if (status == STATUS_OK && !arrival.dropped && is_put)
        return put(context, table_name, uuid, document, fields, error);
    if (status == STATUS_OK && !arrival.dropped)
        status = convex_patch(context, table_name, document, fields, error);
    convex_free(fields);
    return status;
}

static enum status find_receipt(struct convex_context *context, const char *client_id,
                                const char *transaction_id, bool *found, struct error *error) {
    struct convex_value *client = convex_string(client_id);
    struct convex_value *transaction = convex_string(transaction_id);
    const struct convex_value *keys[] = {client, transaction};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find(context, "upload_receipts", "by_client_transaction", keys, 2, 1,
                                     &documents, &count, error);
    *found = count > 0;
    free(documents);
    convex_free(client);
    convex_free(transaction);
    return status;
}

static enum status insert_receipt(struct convex_context *context, const char *client_id,
                                  const char *transaction_id, struct error *error) {
    char id[DOCUMENT_ID_SIZE];
    struct convex_value *receipt = convex_object();
    convex_object_set(receipt, "client_id", convex_string(client_id));
    convex_object_set(receipt, "transaction_id", convex_string(transaction_id));
    return convex_insert(context, "upload_receipts", receipt, id, error);
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
                       const char *transaction_id) {
    return convex_mutant(context, "apply-later") && strtoll(transaction_id, NULL, 10) % 2 == 1 &&
           !convex_object_get(args, "queued");
}

enum status app_apply_transaction(struct convex_context *context, const struct convex_value *args,
                                  struct convex_value **result, struct error *error) {
    *result = NULL;
    bool object = args && args->kind == CONVEX_OBJECT;
    const char *client_id = object ? convex_object_text(args, "clientId") : NULL;
    const char *transaction_id = object ? convex_object_text(args, "transactionId") : NULL;
    const struct convex_value *operations = object ? convex_object_get(args, "operations") : NULL;
    if (!client_id || !transaction_id || !operations || operations->kind != CONVEX_ARRAY)
        return error_set(error, STATUS_INVALID,
                         "sync:applyTransaction needs clientId, transactionId and a list of operations");
    bool done = false;
    enum status status = find_receipt(context, client_id, transaction_id, &done, error);
    if (status != STATUS_OK || done)
        return status;
    if (is_put_off(context, args, transaction_id))
        return put_off(context, args, error);
    status = insert_receipt(context, client_id, transaction_id, error);
    for (size_t i = 0; status == STATUS_OK && i < operations->as.array.count; i++)
        status = apply_operation(context, operations->as.array.items[i], error);
    return status;
}
