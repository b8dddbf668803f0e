#include "client/client_streams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/client_parts.h"
#include "client/sdk_stream.h"

static bool mutant(const struct client *client, const char *name) {
    return host_mutant(client->host, name);
}

static const char *parameters_of(const char *parameters) {
    return parameters == NULL ? "{}" : parameters;
}

static struct open_stream *find(struct client *client, const struct client_subscription *wanted) {
    struct open_streams *streams = &client->streams;

    for (size_t i = 0; i < streams->count; i++)
        if (strcmp(streams->items[i]->as.stream, wanted->stream) == 0 &&
            strcmp(parameters_of(streams->items[i]->as.parameters), parameters_of(wanted->parameters)) == 0)
            return streams->items[i];
    return NULL;
}

static struct open_stream *add(struct open_streams *streams, const struct client_subscription *wanted) {
    struct open_stream *open = memory_allocate(sizeof *open);

    open->as = *wanted;
    open->as.stream = memory_copy_text(wanted->stream);
    open->as.parameters = memory_copy_text(wanted->parameters);
    MEMORY_RESERVE(streams->items, streams->capacity, streams->count + 1);
    streams->items[streams->count++] = open;
    return open;
}

static void free_open(struct open_stream *open) {
    free((char *)(uintptr_t)open->as.stream);
    free((char *)(uintptr_t)open->as.parameters);
    free(open);
}

static void drop(struct open_streams *streams, size_t index) {
    free_open(streams->items[index]);
    streams->count--;
    memmove(streams->items + index, streams->items + index + 1,
            (streams->count - index) * sizeof *streams->items);
}

/* Mutant forget-open-streams: the core never hears what is open. */
static enum status tell_engine(struct client *client, struct error *error) {
    const struct open_streams *streams = &client->streams;
    struct client_subscription *list = memory_allocate_array(streams->count + 1, sizeof *list);
    const size_t count = mutant(client, "forget-open-streams") ? 0 : streams->count;
    enum status status;

    for (size_t i = 0; i < count; i++)
        list[i] = streams->items[i]->as;
    status = client->engine->operations->ask(client->engine, streams->parameters, list, count, error);
    free(list);
    return status;
}

static void note_stream(struct client *client, const char *text, const struct client_subscription *stream) {
    const struct note_row row = {.table = stream->stream, .id = parameters_of(stream->parameters)};

    client->streams.change = true;
    host_note(client->host, &(struct note){.kind = NOTE_STREAMS,
                                           .text = text,
                                           .timestamp = stream->ttl > 0 ? stream->ttl : CLIENT_STREAM_TTL,
                                           .rows = &row,
                                           .n_rows = 1});
}

/* --- opening and leaving --- */

static void changed(struct client *client) {
    tell_engine(client, NULL); /* the connection's parameters were good once */
    sdk_stream_send(client->stream, ENGINE_CHANGED_STREAMS);
}

/* Without a connection the app's status is what the database says. */
static void read_offline(struct client *client) {
    struct engine_result result;

    client->engine->operations->offline_status(client->engine, &result);
    client_take_status(client, &result);
}

enum status client_subscribe(struct client *client, const struct client_subscription *wanted,
                             struct error *error) {
    struct open_stream *open = find(client, wanted);
    enum status status = STATUS_OK;

    if (client->crashed)
        return error_set(error, STATUS_CONFLICT, "%s is not running", client->host->name);
    /* Mutant lost-subscription: while a stream begins, nobody takes it down. */
    const bool lost = mutant(client, "lost-subscription") && sdk_stream_connecting(client->stream);
    if (!lost)
        status = client->engine->operations->subscribe(client->engine, wanted, error);
    if (status != STATUS_OK)
        return status;
    note_stream(client, "opened", wanted);
    if (!client->wants_connection)
        read_offline(client);
    if (open == NULL) {
        add(&client->streams, wanted)->holders = 1;
        if (!lost)
            changed(client);
    } else {
        open->holders++;
        open->as.ttl = wanted->ttl;
    }
    return STATUS_OK;
}

void client_unsubscribe(struct client *client, const struct client_subscription *wanted) {
    struct open_stream *open = find(client, wanted);

    if (client->crashed || open == NULL || open->permanent || --open->holders > 0)
        return;
    note_stream(client, "left", wanted);
    for (size_t i = 0; i < client->streams.count; i++)
        if (client->streams.items[i] == open) {
            drop(&client->streams, i);
            break;
        }
    changed(client);
}

enum status client_unsubscribe_all(struct client *client, const struct client_subscription *wanted,
                                   struct error *error) {
    enum status status;

    if (client->crashed)
        return error_set(error, STATUS_CONFLICT, "%s is not running", client->host->name);
    status = client->engine->operations->unsubscribe(client->engine, wanted, error);
    if (status != STATUS_OK)
        return status;
    note_stream(client, "dropped", wanted);
    changed(client);
    return STATUS_OK;
}

/* --- status --- */

static bool is_stream(const json_t *entry, const struct client_subscription *wanted) {
    const char *name = json_text(entry, "name");
    const json_t *own = json_object_get(entry, "parameters");
    const char *text = parameters_of(wanted->parameters);
    json_t *parameters;
    bool same;

    if (name == NULL || strcmp(name, wanted->stream) != 0)
        return false;
    if (!json_is_object(own))
        return strcmp(text, "{}") == 0;
    parameters = json_parse(text, strlen(text), NULL);
    same = json_equal(own, parameters);
    json_decref(parameters);
    return same;
}

static json_t *read_status(const struct client *client) {
    const char *text = client->engine->operations->status(client->engine);

    return *text == '\0' ? NULL : json_parse(text, strlen(text), NULL);
}

static bool find_status(const json_t *status, const struct client_subscription *wanted,
                        struct client_stream_status *found) {
    const json_t *streams = json_object_get(status, "streams");

    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *entry = json_array_get(streams, i);
        const json_t *progress = json_object_get(entry, "progress");

        if (!is_stream(entry, wanted))
            continue;
        *found = (struct client_stream_status){
            .active = json_is_true(json_object_get(entry, "active")),
            .is_default = json_is_true(json_object_get(entry, "is_default")),
            .subscribed = json_is_true(json_object_get(entry, "has_explicit_subscription")),
            .expires_at = json_integer_value(json_object_get(entry, "expires_at")),
            .last_synced_at = json_integer_value(json_object_get(entry, "last_synced_at")),
            .total = json_integer_value(json_object_get(progress, "total")),
            .downloaded = json_integer_value(json_object_get(progress, "downloaded"))};
        return true;
    }
    return false;
}

bool client_stream_status(const struct client *client, const struct client_subscription *wanted,
                          struct client_stream_status *found) {
    json_t *status = read_status(client);
    const bool known = status != NULL && find_status(status, wanted, found);

    json_decref(status);
    return known;
}

static bool somebody_waits(const struct open_streams *streams) {
    for (size_t i = 0; i < streams->count; i++)
        if (streams->items[i]->synced != NULL)
            return true;
    return false;
}

void open_streams_take_status(struct client *client) {
    struct client_stream_status found;
    json_t *status;

    if (!somebody_waits(&client->streams))
        return;
    status = read_status(client);
    for (size_t i = 0; status != NULL && i < client->streams.count; i++) {
        struct open_stream *open = client->streams.items[i];
        void (*done)(void *) = open->synced;

        if (done == NULL || !find_status(status, &open->as, &found) || found.last_synced_at == 0)
            continue;
        open->synced = NULL;
        note_stream(client, "synced", &open->as);
        done(open->context);
    }
    json_decref(status);
}

void client_wait_for_stream(struct client *client, const struct client_subscription *wanted,
                            void (*done)(void *context), void *context) {
    struct open_stream *open = find(client, wanted);

    if (open == NULL)
        return;
    open->synced = done;
    open->context = context;
    open_streams_take_status(client);
}

/* --- what is requested --- */

static int compare_rows(const void *a, const void *b) {
    const struct note_row *one = a, *other = b;
    const int order = strcmp(one->table, other->table);

    return order != 0 ? order : strcmp(one->id, other->id);
}

static void note_request(struct client *client, const json_t *list) {
    const size_t count = json_array_size(list);
    struct note_row *rows = memory_allocate_array(count + 1, sizeof *rows);
    struct buffer text = {0};

    for (size_t i = 0; i < count; i++) {
        const json_t *parameters = json_object_get(json_array_get(list, i), "parameters");
        struct buffer own = {0};

        if (json_is_object(parameters))
            json_append_sorted(&own, parameters);
        rows[i] = (struct note_row){.table = json_text(json_array_get(list, i), "stream"),
                                    .id = own.length > 0 ? buffer_take(&own) : memory_copy_text("{}")};
    }
    if (count > 1)
        qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s %s\n", rows[i].table, rows[i].id);
    if (client->streams.told == NULL || strcmp(client->streams.told, buffer_text(&text)) != 0) {
        free(client->streams.told);
        client->streams.told = memory_copy_text(buffer_text(&text));
        host_note(client->host,
                  &(struct note){.kind = NOTE_STREAMS, .text = "asked", .rows = rows, .n_rows = count});
    }
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)rows[i].id);
    free(rows);
    buffer_free(&text);
}

void open_streams_tell_request(struct client *client, const char *request, size_t length) {
    json_t *json;

    if (!client->streams.change)
        return;
    json = json_parse(request, length, NULL);
    note_request(client, json_object_get(json_object_get(json, "streams"), "subscriptions"));
    json_decref(json);
}

/* --- life --- */

enum status open_streams_begin(struct client *client, const struct client_settings *settings,
                               struct error *error) {
    enum status status = STATUS_OK;

    client->streams.parameters = memory_copy_text(settings->parameters);
    for (size_t i = 0; status == STATUS_OK && i < settings->n_subscriptions; i++) {
        add(&client->streams, &settings->subscriptions[i])->permanent = true;
        status = client->engine->operations->subscribe(client->engine, &settings->subscriptions[i], error);
    }
    return status == STATUS_OK ? tell_engine(client, error) : status;
}

void open_streams_free(struct open_streams *streams) {
    while (streams->count > 0)
        drop(streams, streams->count - 1);
    free(streams->items);
    free(streams->parameters);
    free(streams->told);
}

void open_streams_crash(struct client *client) {
    struct open_streams *streams = &client->streams;

    for (size_t i = streams->count; i-- > 0;)
        if (!streams->items[i]->permanent)
            drop(streams, i);
        else
            streams->items[i]->synced = NULL;
    tell_engine(client, NULL);
}

void open_streams_renew(struct client *client) {
    struct error error = {0};

    for (size_t i = 0; i < client->streams.count; i++)
        if (client->engine->operations->subscribe(client->engine, &client->streams.items[i]->as, &error) !=
            STATUS_OK) /* the disk */
            client_tell(client, "no subscription: %s", error.message);
    if (client->streams.count > 0 && !client->wants_connection)
        read_offline(client);
}
