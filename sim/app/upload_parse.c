#include "app/upload_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static enum status begin(const char *text, size_t length, struct upload_body *body, const char *list,
                         const json_t **items, struct error *error) {
    *body = (struct upload_body){.parsed = json_parse(text, length, NULL)};
    body->client_id = json_text(body->parsed, "client_id");
    *items = json_object_get(body->parsed, list);
    if (!body->client_id || !json_is_array(*items))
        return error_set(error, STATUS_INVALID, "an upload is {client_id, %s}", list);
    return STATUS_OK;
}

void upload_body_free(struct upload_body *body) {
    for (size_t i = 0; i < body->count; i++)
        json_decref(body->transactions[i].operations);
    free(body->transactions);
    json_decref(body->parsed);
    *body = (struct upload_body){0};
}

/* A number, or digits in a text; anything else leaves "". */
static void read_number(const json_t *value, char out[UPLOAD_ID_SIZE]) {
    const char *text = json_string_value(value);
    out[0] = '\0';
    if (json_is_integer(value))
        snprintf(out, UPLOAD_ID_SIZE, "%lld", (long long)json_integer_value(value));
    else if (text && *text && strlen(text) < UPLOAD_ID_SIZE && strspn(text, "0123456789") == strlen(text))
        snprintf(out, UPLOAD_ID_SIZE, "%s", text);
}

static struct uploaded *add_transaction(struct upload_body *body) {
    MEMORY_RESERVE(body->transactions, body->capacity, body->count + 1);
    struct uploaded *transaction = &body->transactions[body->count++];
    *transaction = (struct uploaded){.operations = json_array()};
    return transaction;
}

static enum status add_operation(struct uploaded *transaction, const json_t *item, const char *table_key,
                                 struct error *error) {
    const char *op = json_text(item, "op"), *table = json_text(item, table_key), *id = json_text(item, "id");
    json_t *data = json_object_get(item, "data");
    if (!op || !table || !id || (data && !json_is_object(data) && !json_is_null(data)))
        return error_set(error, STATUS_INVALID, "an operation needs op, %s, id, and data as an object",
                         table_key);
    json_t *operation = json_object();
    json_object_set_new(operation, "op", json_string(op));
    json_object_set_new(operation, "table", json_string(table));
    json_object_set_new(operation, "id", json_string(id));
    if (json_is_object(data))
        json_object_set(operation, "data", data);
    json_array_append_new(transaction->operations, operation);
    return STATUS_OK;
}

static enum status check_room(size_t operations, struct error *error) {
    return operations <= UPLOAD_OPERATIONS_MOST
               ? STATUS_OK
               : error_set(error, STATUS_LIMIT, "more than %d operations", UPLOAD_OPERATIONS_MOST);
}

enum status upload_parse_endpoint(const char *text, size_t length, struct upload_body *body,
                                  struct error *error) {
    const json_t *items;
    size_t i, j, operations = 0;
    json_t *item, *operation;
    enum status status = begin(text, length, body, "transactions", &items, error);
    if (status != STATUS_OK)
        return status;
    json_array_foreach(items, i, item) {
        const json_t *ops = json_object_get(item, "ops");
        struct uploaded *transaction = add_transaction(body);
        read_number(json_object_get(item, "op_id"), transaction->number);
        if (!*transaction->number || !json_is_array(ops))
            return error_set(error, STATUS_INVALID, "a transaction is {op_id, ops}");
        operations += json_array_size(ops) + 1;
        status = check_room(operations, error);
        json_array_foreach(ops, j, operation) if (status == STATUS_OK) status =
            add_operation(transaction, operation, "table", error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status upload_parse_sync(const char *text, size_t length, struct upload_body *body,
                              struct error *error) {
    const json_t *items;
    struct uploaded *transaction = NULL;
    size_t i;
    json_t *item;
    enum status status = begin(text, length, body, "batch", &items, error);
    if (status == STATUS_OK)
        status = check_room(json_array_size(items), error);
    if (status != STATUS_OK)
        return status;
    json_array_foreach(items, i, item) {
        char number[UPLOAD_ID_SIZE], first[UPLOAD_ID_SIZE];
        read_number(json_object_get(item, "tx_id"), number);
        read_number(json_object_get(item, "op_id"), first);
        if (!*number || !*first)
            return error_set(error, STATUS_INVALID, "an entry of a batch needs op_id and tx_id");
        if (!transaction || strcmp(transaction->number, number) != 0) {
            transaction = add_transaction(body);
            memcpy(transaction->number, number, sizeof number);
            memcpy(transaction->first, first, sizeof first);
        }
        status = add_operation(transaction, item, "type", error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}
