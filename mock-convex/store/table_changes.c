#include "mock-convex/store/table_changes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/function/reads_note.h"
#include "mock-convex/http/auth.h"
#include "mock-convex/store/component.h"
#include "mock-convex/store/idle_bump.h"
#include "mock-convex/store/transaction.h"
#include "mock-convex/sync/sync_hub.h"

#define BATCH_ROWS 1000 /* documents that one transaction of a clear or an import writes */

static enum status find_table(struct convex_deployment *deployment, const char *name,
                              struct convex_store_table **table, struct error *error) {
    *table = convex_store_table(&deployment->store, name);
    return *table != NULL && !(*table)->system
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND, "there is no table \"%.64s\" to change", name);
}

/* Checks know documents by their commits; those of a table that ends so have none. */
static void note_end(struct convex_deployment *deployment, const char *name, const char *what) {
    const struct note_row row = {.table = name, .id = ""};
    const struct note note = {
        .kind = NOTE_TABLE, .timestamp = deployment->store.latest, .rows = &row, .n_rows = 1, .text = what};
    host_note(deployment->host, &note);
}

enum status convex_deployment_drop_table(struct convex_deployment *deployment, const char *name,
                                         struct error *error) {
    struct convex_store_table *table;
    enum status status = find_table(deployment, name, &table, error);
    if (status == STATUS_OK) {
        convex_store_drop_table(&deployment->store, table, NULL, host_wall_clock(deployment->host));
        note_end(deployment, table->name, "drops");
        convex_idle_wait(deployment);
        sync_hub_commit(deployment->sync);
    }
    return status;
}

/* Up to BATCH_ROWS living documents of the table as deletions, in order. The caller frees the array. */
static struct convex_store_write *gather_deletions(struct convex_store_table *table, size_t *count) {
    struct convex_store_write *writes = memory_allocate_array(BATCH_ROWS, sizeof *writes);
    const struct convex_ordered_node *node = convex_ordered_first(&table->indexes[0].entries);
    *count = 0;
    for (; node != NULL && *count < BATCH_ROWS; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        if (node->until == CONVEX_LIVE) {
            writes[*count].table = table;
            memcpy(writes[(*count)++].internal, document->internal, 16);
        }
    }
    return writes;
}

enum status convex_deployment_clear_table(struct convex_deployment *deployment, const char *name,
                                          struct error *error) {
    struct convex_store_table *table;
    enum status status = find_table(deployment, name, &table, error);
    for (size_t count = 1; status == STATUS_OK && count > 0;) {
        size_t from = deployment->store.log_count;
        struct convex_store_write *writes = gather_deletions(table, &count);
        if (count > 0) {
            convex_store_commit(&deployment->store, writes, count, host_wall_clock(deployment->host));
            convex_note_reads(deployment, NULL, from);
            convex_note_commit(deployment, from, "clear_table");
        }
        free(writes);
    }
    return status;
}

static struct convex_store_table *add_hidden(struct convex_deployment *deployment,
                                             const struct convex_store_table *table) {
    unsigned char tablet[16];
    convex_draw_bytes(deployment->host, "convex.tablet", tablet);
    return convex_store_add_hidden(&deployment->store, table, tablet);
}

/* Insert copies of the documents in one transaction. */
static enum status import_batch(struct convex_deployment *deployment, struct convex_store_table *table,
                                const struct convex_value *const *documents, size_t count,
                                struct error *error) {
    struct convex_transaction transaction;
    int64_t ts, now = host_wall_clock(deployment->host);
    enum status status = STATUS_OK;
    assert(count <= BATCH_ROWS);
    convex_transaction_begin(&transaction, &deployment->store, deployment->host, now);
    transaction.component = table->component;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        char id[CONVEX_ID_TEXT_MAX];
        status = convex_transaction_insert(&transaction, table, convex_copy(documents[i]), id, error);
    }
    if (status == STATUS_OK) {
        status = convex_transaction_commit(&transaction, now, &ts, error);
    }
    convex_transaction_end(&transaction);
    return status;
}

enum status convex_deployment_import(struct convex_deployment *deployment, const char *name,
                                     const struct convex_value *const *documents, size_t count,
                                     struct convex_store_table **import, struct error *error) {
    struct convex_store_table *table;
    enum status status = find_table(deployment, name, &table, error);
    if (status != STATUS_OK) {
        return status;
    }
    struct convex_store_table *hidden = add_hidden(deployment, table);
    for (size_t at = 0; at < count && status == STATUS_OK; at += BATCH_ROWS) {
        size_t rows = count - at < BATCH_ROWS ? count - at : BATCH_ROWS;
        status = import_batch(deployment, hidden, documents + at, rows, error);
    }
    if (status == STATUS_OK) {
        *import = hidden;
        convex_idle_wait(deployment);
    }
    return status;
}

enum status convex_deployment_activate(struct convex_deployment *deployment,
                                       struct convex_store_table *import, struct error *error) {
    struct convex_store_table *table;
    assert(import->from == CONVEX_LIVE);
    enum status status = find_table(deployment, import->full_name, &table, error);
    if (status == STATUS_OK) {
        convex_store_drop_table(&deployment->store, table, import, host_wall_clock(deployment->host));
        note_end(deployment, table->name, "replaces");
        convex_idle_wait(deployment);
        sync_hub_commit(deployment->sync);
    }
    return status;
}

enum status convex_deployment_replace_table(struct convex_deployment *deployment, const char *name,
                                            const struct convex_value *const *documents, size_t count,
                                            struct error *error) {
    struct convex_store_table *import = NULL;
    enum status status = convex_deployment_import(deployment, name, documents, count, &import, error);
    return status == STATUS_OK ? convex_deployment_activate(deployment, import, error) : status;
}

/* --- routes --- */

static bool refuse_body(struct convex_reply *reply, const char *field) {
    return convex_reply_error(reply, 400, "BadJsonBody",
                              "Failed to deserialize the JSON body: %s: invalid type", field);
}

static bool check_names(const json_t *body, struct convex_reply *reply) {
    const json_t *names = json_object_get(body, "tableNames");
    const json_t *component = json_object_get(body, "componentId");
    bool usable = json_is_array(names);
    for (size_t i = 0; i < json_array_size(names); i++) {
        usable = usable && json_is_string(json_array_get(names, i));
    }
    if (!usable) {
        return refuse_body(reply, "tableNames");
    }
    return component == NULL || json_is_null(component) || json_is_string(component) ||
           refuse_body(reply, "componentId");
}

/* The decoded body of an authorized request, for the caller to release; NULL: the reply says why not. */
static json_t *admit(const struct convex_deployment *deployment, const struct convex_request *request,
                     struct convex_reply *reply) {
    struct convex_caller caller;
    json_t *body = NULL;
    if (!convex_auth_identify(deployment->auth, request, &caller, reply) ||
        !convex_request_json(request, &body, reply)) {
        return NULL;
    }
    bool admitted = check_names(body, reply) &&
                    (caller.identity == CONVEX_ADMIN ||
                     convex_reply_error(reply, 403, "BadDeployKey",
                                        "This endpoint needs the deploy key of the deployment.")) &&
                    convex_auth_may_write(&caller, reply);
    if (!admitted) {
        json_decref(body);
        return NULL;
    }
    return body;
}

static void answer(struct convex_deployment *deployment, const struct convex_request *request, bool drops,
                   struct convex_reply *reply) {
    json_t *body = admit(deployment, request, reply);
    if (body == NULL) {
        return;
    }
    const json_t *names = json_object_get(body, "tableNames");
    const char *component = json_string_value(json_object_get(body, "componentId"));
    for (size_t i = 0; i < json_array_size(names); i++) {
        char *name = convex_component_name(component, json_string_value(json_array_get(names, i)));
        enum status status = drops ? convex_deployment_drop_table(deployment, name, NULL)
                                   : convex_deployment_replace_table(deployment, name, NULL, 0, NULL);
        assert(status == STATUS_OK || status == STATUS_NOT_FOUND);
        (void)status;
        free(name);
    }
    json_decref(body);
    reply->status = 200;
    buffer_append_text(&reply->body, "null");
}

void convex_answer_delete_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                 struct convex_reply *reply) {
    answer(deployment, request, true, reply);
}

void convex_answer_clear_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                struct convex_reply *reply) {
    answer(deployment, request, false, reply);
}

/* Import the documents of one table. False: the reply says why; what was written stays hidden for ever. */
static bool import_json(struct convex_deployment *deployment, const char *name, const json_t *documents,
                        struct convex_store_table **import, struct convex_reply *reply) {
    size_t count = json_array_size(documents), made = 0;
    struct convex_value **values = memory_allocate_array(count + 1, sizeof *values);
    struct error error = {0};
    enum status status = STATUS_OK;
    *import = NULL;
    for (; made < count && status == STATUS_OK; made += status == STATUS_OK) {
        status = convex_from_json(json_array_get(documents, made), &values[made], &error);
    }
    if (status == STATUS_OK) {
        status = convex_deployment_import(deployment, name, (const struct convex_value *const *)values, count,
                                          import, &error);
    }
    for (size_t i = 0; i < made; i++) {
        convex_free(values[i]);
    }
    free(values);
    return status == STATUS_OK || status == STATUS_NOT_FOUND /* passed over */ ||
           convex_reply_error(reply, 400, "InvalidDocumentError", "%.900s", error.message);
}

/* All documents first, so that nothing is replaced when one of them cannot be stored. */
static void replace_tables(struct convex_deployment *deployment, const json_t *body,
                           struct convex_reply *reply) {
    const json_t *names = json_object_get(body, "tableNames"), *rows = json_object_get(body, "documents");
    const char *component = json_string_value(json_object_get(body, "componentId"));
    size_t count = json_array_size(names);
    struct convex_store_table **imports = memory_allocate_array(count + 1, sizeof *imports);
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        char *full = convex_component_name(component, name);
        good = import_json(deployment, full, json_object_get(rows, name), &imports[i], reply);
        free(full);
    }
    for (size_t i = 0; i < count && good; i++) {
        if (imports[i] != NULL) {
            convex_deployment_activate(deployment, imports[i], NULL);
        }
    }
    if (good) {
        reply->status = 200;
        buffer_append_text(&reply->body, "null");
    }
    free(imports);
}

static bool check_documents(const json_t *body, struct convex_reply *reply) {
    const json_t *rows = json_object_get(body, "documents");
    const char *name;
    json_t *list;
    bool usable = rows == NULL || json_is_object(rows);
    json_object_foreach((json_t *)(uintptr_t)rows, name, list) {
        usable = usable && json_is_array(list);
    }
    return usable || refuse_body(reply, "documents");
}

void convex_answer_replace_tables(struct convex_deployment *deployment, const struct convex_request *request,
                                  struct convex_reply *reply) {
    json_t *body = admit(deployment, request, reply);
    if (body != NULL && check_documents(body, reply)) {
        replace_tables(deployment, body, reply);
    }
    json_decref(body);
}
