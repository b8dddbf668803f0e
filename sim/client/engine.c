#include "client/engine.h"

#include <string.h>

#include "base/json.h"
#include "client/pool.h"

void engine_transaction_free(struct engine_transaction *transaction) {
    json_decref(transaction->entries);
    transaction->entries = NULL;
}

const struct client_table *engine_find_table(const struct client_schema *schema, const char *name) {
    for (size_t t = 0; t < schema->n_tables; t++)
        if (strcmp(schema->tables[t].name, name) == 0)
            return &schema->tables[t];
    return NULL;
}

static bool has_column(const struct client_table *table, const char *name) {
    if (table->include_metadata && strcmp(name, CLIENT_METADATA) == 0)
        return true;
    for (size_t c = 0; c < table->n_columns; c++)
        if (strcmp(table->columns[c].name, name) == 0)
            return true;
    return false;
}

enum status engine_check_operation(const struct client_schema *schema,
                                   const struct client_operation *operation, struct error *error) {
    const struct client_table *table = engine_find_table(schema, operation->table);
    const char *column;
    json_t *value;

    if (table == NULL)
        return error_set(error, STATUS_NOT_FOUND, "the app has no table %s", operation->table);
    if (table->insert_only && operation->kind != CLIENT_PUT)
        return error_set(error, STATUS_INVALID, "rows of %s can be inserted only", operation->table);
    if (operation->kind == CLIENT_DELETE)
        return STATUS_OK;
    if (!json_is_object(operation->values))
        return error_set(error, STATUS_INVALID, "%s without values",
                         operation->kind == CLIENT_PUT ? "PUT" : "PATCH");
    json_object_foreach((json_t *)(uintptr_t)operation->values, column, value) {
        if (!has_column(table, column))
            return error_set(error, STATUS_NOT_FOUND, "table %s has no column %s", operation->table, column);
        if (json_is_array(value) || json_is_object(value))
            return error_set(error, STATUS_INVALID, "column %s of %s: arrays and objects are stored as text",
                             column, operation->table);
    }
    return STATUS_OK;
}

const char *engine_metadata(const struct client_table *table, const struct client_operation *operation) {
    return table->include_metadata ? json_text(operation->values, CLIENT_METADATA) : NULL;
}

char *engine_written_values(const struct client_operation *operation) {
    struct buffer text = {0};
    json_t *values;

    if (operation->kind == CLIENT_DELETE)
        return NULL;
    values = json_copy((json_t *)(uintptr_t)operation->values);
    json_object_del(values, CLIENT_METADATA);
    json_append(&text, values);
    json_decref(values);
    return buffer_take(&text);
}

enum status engine_create(struct client_pool *pool, struct host *host, struct engine **engine,
                          struct error *error) {
    switch (pool_engine(pool)) {
    case CLIENT_ENGINE_MODEL:
        engine_model_create(pool, host, NULL, engine);
        return STATUS_OK;
    case CLIENT_ENGINE_BOTH:
        return engine_both_create(pool, host, engine, error);
    case CLIENT_ENGINE_CORE:
        break;
    }
    return engine_core_create(pool, host, engine, error);
}
