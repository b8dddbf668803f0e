/* The set of queries: what is asked for, what was heard. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/reactive_parts.h"

void reactive_query_forget(struct reactive_query *query) {
    free(query->value);
    free(query->error);
    query->value = NULL;
    query->error = NULL;
}

void reactive_query_free(struct reactive_query *query) {
    reactive_query_forget(query);
    json_decref(query->journal);
    free(query->path);
    free(query->args);
}

static struct reactive_query *find(const struct reactive_client *client, uint32_t id) {
    for (size_t i = 0; i < client->n_queries; i++) {
        if (client->queries[i].id == id) {
            return &client->queries[i];
        }
    }
    return NULL;
}

/* --- asking --- */

static void append_add(struct buffer *out, const struct reactive_query *query) {
    buffer_printf(out, "{\"type\":\"Add\",\"queryId\":%u,\"udfPath\":", (unsigned)query->id);
    buffer_append_json_text(out, query->path);
    buffer_printf(out, ",\"args\":[%s]", query->args);
    if (query->journal != NULL) {
        buffer_append_text(out, ",\"journal\":");
        json_append(out, query->journal);
    }
    buffer_append_char(out, '}');
}

static void begin_modify(struct reactive_client *client, struct buffer *out) {
    buffer_printf(out,
                  "{\"type\":\"ModifyQuerySet\",\"baseVersion\":%u,\"newVersion\":%u,\"modifications\":[",
                  (unsigned)client->query_set, (unsigned)client->query_set + 1);
    client->query_set++;
}

/* On a new socket the whole set is asked for anew, also when it is empty. */
void reactive_queries_restart(struct reactive_client *client, struct buffer *out) {
    client->version = (struct reactive_version){0};
    client->query_set = 0;
    client->n_unsaid = 0;
    begin_modify(client, out);
    for (size_t i = 0; i < client->n_queries; i++) {
        client->queries[i].unasked = false;
        reactive_query_forget(&client->queries[i]);
        client->queries[i].outstanding = true;
        if (i > 0) {
            buffer_append_char(out, ',');
        }
        append_add(out, &client->queries[i]);
    }
    buffer_append_text(out, "]}");
}

void reactive_queries_resume(struct reactive_client *client, struct buffer *out) {
    const char *separator = "";
    size_t n_unasked = 0;
    for (size_t i = 0; i < client->n_queries; i++) {
        n_unasked += client->queries[i].unasked;
    }
    if (n_unasked + client->n_unsaid == 0) {
        return;
    }
    begin_modify(client, out);
    for (size_t i = 0; i < client->n_queries; i++) {
        if (client->queries[i].unasked) {
            client->queries[i].unasked = false;
            buffer_append_text(out, separator);
            append_add(out, &client->queries[i]);
            separator = ",";
        }
    }
    for (size_t i = 0; i < client->n_unsaid; i++) {
        buffer_printf(out, "%s{\"type\":\"Remove\",\"queryId\":%u}", separator, (unsigned)client->unsaid[i]);
        separator = ",";
    }
    client->n_unsaid = 0;
    buffer_append_text(out, "]}");
}

uint32_t reactive_client_subscribe(struct reactive_client *client, const char *path, const char *args) {
    for (size_t i = 0; i < client->n_queries; i++) {
        if (strcmp(client->queries[i].path, path) == 0 && strcmp(client->queries[i].args, args) == 0) {
            return client->queries[i].id;
        }
    }
    MEMORY_RESERVE(client->queries, client->queries_capacity, client->n_queries + 1);
    struct reactive_query *query = &client->queries[client->n_queries++];
    *query = (struct reactive_query){
        .id = client->next_query++, .path = memory_copy_text(path), .args = memory_copy_text(args)};
    query->unasked = client->state == REACTIVE_READY && client->paused;
    if (client->state == REACTIVE_READY && !client->paused) {
        struct buffer text = {0};
        begin_modify(client, &text);
        append_add(&text, query);
        buffer_append_text(&text, "]}");
        reactive_socket_send(client, &text);
        buffer_free(&text);
    }
    return query->id;
}

void reactive_client_unsubscribe(struct reactive_client *client, uint32_t id) {
    struct reactive_query *query = find(client, id);
    if (query == NULL) {
        return;
    }
    size_t index = (size_t)(query - client->queries);
    bool unasked = query->unasked;
    reactive_query_free(query);
    client->n_queries--;
    memmove(query, query + 1, (client->n_queries - index) * sizeof *query);
    if (client->state == REACTIVE_READY && client->paused && !unasked) {
        MEMORY_RESERVE(client->unsaid, client->unsaid_capacity, client->n_unsaid + 1);
        client->unsaid[client->n_unsaid++] = id;
    } else if (client->state == REACTIVE_READY && !client->paused) {
        struct buffer text = {0};
        begin_modify(client, &text);
        buffer_printf(&text, "{\"type\":\"Remove\",\"queryId\":%u}]}", (unsigned)id);
        reactive_socket_send(client, &text);
        buffer_free(&text);
    }
}

/* --- hearing --- */

static bool read_version(const json_t *message, const char *key, struct reactive_version *version) {
    const json_t *value = json_object_get(message, key);
    return json_is_object(value) && reactive_read_count(value, "querySet", &version->query_set) &&
           reactive_read_count(value, "identity", &version->identity) &&
           reactive_read_ts(value, "ts", &version->ts);
}

static void keep_journal(struct reactive_query *query, const json_t *item) {
    json_t *journal = json_object_get(item, "journal");
    if (journal != NULL) {
        json_decref(query->journal);
        query->journal = json_incref(journal);
    }
}

static bool take_value(struct reactive_query *query, const json_t *item) {
    const json_t *value = json_object_get(item, "value");
    struct buffer text = {0};
    if (value != NULL) {
        json_append(&text, value);
    } else {
        buffer_append_text(&text, "null"); /* the package reads a value that is left out so */
    }
    query->value = buffer_take(&text);
    return true;
}

static bool take_error(struct reactive_query *query, const json_t *item) {
    query->error = memory_copy_text(json_text(item, "errorMessage"));
    return query->error != NULL;
}

/* The client may have dropped a query that the server still answers. */
static bool take_modification(struct reactive_client *client, const json_t *item) {
    uint32_t id;
    const char *type = json_is_object(item) ? json_text(item, "type") : NULL;
    if (type == NULL || !reactive_read_count(item, "queryId", &id)) {
        return false;
    }
    bool updated = strcmp(type, "QueryUpdated") == 0, failed = strcmp(type, "QueryFailed") == 0;
    if (!updated && !failed && strcmp(type, "QueryRemoved") != 0) {
        return false;
    }
    if ((updated || failed) && !json_is_array(json_object_get(item, "logLines"))) {
        return false;
    }
    struct reactive_query *query = find(client, id);
    if (query == NULL) {
        return true;
    }
    query->outstanding = false;
    reactive_query_forget(query);
    if (!updated && !failed) {
        return true;
    }
    keep_journal(query, item);
    return updated ? take_value(query, item) : take_error(query, item);
}

static bool same_version(const struct reactive_version *a, const struct reactive_version *b) {
    return a->query_set == b->query_set && a->identity == b->identity && a->ts == b->ts;
}

bool reactive_queries_transition(struct reactive_client *client, const json_t *message) {
    struct reactive_version start, end;
    const json_t *items = json_object_get(message, "modifications");
    if (!read_version(message, "startVersion", &start) || !read_version(message, "endVersion", &end) ||
        !json_is_array(items)) {
        return false;
    }
    client->observed = end.ts > client->observed ? end.ts : client->observed;
    if (!same_version(&start, &client->version)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(items); i++) {
        if (!take_modification(client, json_array_get(items, i))) {
            return false;
        }
    }
    client->version = end;
    return true;
}

void reactive_queries_note(struct reactive_client *client) {
    struct note_row *rows = memory_allocate_array(client->n_queries + 1, sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < client->n_queries; i++) {
        const struct reactive_query *query = &client->queries[i];
        if (query->value != NULL || query->error != NULL) {
            rows[n++] = (struct note_row){.operation = query->value != NULL ? "VALUE" : "ERROR",
                                          .table = query->path,
                                          .id = query->args,
                                          .values = query->value != NULL ? query->value : query->error};
        }
    }
    const struct note note = {.kind = NOTE_TRANSITION,
                              .timestamp = (int64_t)client->version.ts,
                              .rows = rows,
                              .n_rows = n,
                              .text = reactive_client_identity(client)};
    host_note(client->host, &note);
    free(rows);
}

bool reactive_queries_settled(const struct reactive_client *client) {
    for (size_t i = 0; i < client->n_queries; i++) {
        if (client->queries[i].value == NULL && client->queries[i].error == NULL) {
            return false;
        }
    }
    return client->version.query_set == client->query_set;
}

const char *reactive_client_value(const struct reactive_client *client, uint32_t id) {
    const struct reactive_query *query = find(client, id);
    return query != NULL ? query->value : NULL;
}
