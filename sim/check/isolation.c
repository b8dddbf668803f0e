/* isolation (I18): a device never holds a row that its streams never gave it. Judged by the buckets that it
 * was sent, as the operations leave them, whether its app shows the rows or not: whenever a checkpoint is
 * complete, each of their rows must have been in the client's view at some commit so far; and when the world
 * is quiet, at the newest one. Operations that a later one of the bucket has replaced do not count: a team's
 * history from before somebody joined it comes with the team. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/held_rows.h"
#include "check/oracle.h"
#include "check/properties.h"
#include "check/stream_lines.h"

struct held_bucket {
    char *name;
    struct held_rows rows;
    uint64_t request; /* number of the newest request that named it, or of the stream that sent it */
};

/* What one device was sent, over all of its streams. */
struct device {
    const char *name;
    const struct oracle_user *user;
    const char *identity; /* the name of who is signed in */
    const struct oracle_request *request;
    struct oracle_request asked; /* what `request` points to once the device has asked for something else */
    struct map buckets;          /* name -> struct held_bucket */
    uint64_t requests;
    bool dirty; /* rows were put since the last judgement */
};

struct watcher {
    struct checker *checker;
    struct sync_line_parser parser;
    struct map devices; /* node -> struct device */
    struct map streams; /* exchange -> struct watched_stream */
    struct buffer key;
    struct intern keys; /* of rows, type, 0, id, 0, subkey: devices have them in common */
    int64_t now;
};

struct watched_stream {
    struct watcher *watcher;
    struct device *device;
    struct stream_lines lines;
};

/* --- what a device holds --- */

static void free_bucket(void *value) {
    struct held_bucket *bucket = value;
    held_rows_clear(&bucket->rows);
    free(bucket->name);
    free(bucket);
}

static struct held_bucket *find_bucket(struct device *device, const char *name, size_t length) {
    return map_get_bytes(&device->buckets, name, length);
}

static struct held_bucket *open_bucket(struct device *device, const struct json_span *name) {
    struct held_bucket *bucket = find_bucket(device, name->bytes, name->length);
    if (bucket == NULL) {
        bucket = memory_allocate(sizeof *bucket);
        bucket->name = memory_copy_bytes(name->bytes, name->length);
        map_set_bytes(&device->buckets, name->bytes, name->length, bucket);
    }
    bucket->request = device->requests;
    return bucket;
}

static void drop_bucket(struct device *device, const char *name, size_t length) {
    struct held_bucket *bucket = map_remove_bytes(&device->buckets, name, length);
    if (bucket != NULL)
        free_bucket(bucket);
}

/* Texts of lines are escaped as in the line; each spelling names the same row again and again. */
static const char *row_key(struct watcher *watcher, const struct sync_operation *operation) {
    struct buffer *key = &watcher->key;
    buffer_clear(key);
    buffer_append(key, operation->object_type.bytes, operation->object_type.length);
    buffer_append_char(key, 0);
    buffer_append(key, operation->object_id.bytes, operation->object_id.length);
    buffer_append_char(key, 0);
    buffer_append(key, operation->subkey.bytes, operation->subkey.length);
    return intern_bytes(&watcher->keys, key->data, key->length);
}

static const char *table_of(const struct held_row *row) {
    return row->key;
}

static const char *id_of(const struct held_row *row) {
    return row->key + strlen(row->key) + 1;
}

static void apply(struct watched_stream *stream, struct held_bucket *bucket,
                  const struct sync_operation *operation) {
    if (operation->kind == SYNC_CLEAR)
        held_rows_clear(&bucket->rows);
    else if (operation->kind == SYNC_REMOVE)
        held_rows_remove(&bucket->rows, row_key(stream->watcher, operation));
    else if (operation->kind == SYNC_PUT)
        stream->device->dirty |= held_rows_add(&bucket->rows, row_key(stream->watcher, operation));
}

/* --- judgement --- */

static bool has_table(const struct checker *checker, const char *name) {
    const struct client_schema *schema = checker_settings(checker)->schema;
    for (size_t i = 0; i < schema->n_tables; i++)
        if (strcmp(schema->tables[i].name, name) == 0)
            return true;
    return false;
}

static void report(const struct watcher *watcher, const struct device *device,
                   const struct held_bucket *bucket, const struct held_row *row, bool at_end) {
    const struct violation violation = {
        .property = property_isolation.name,
        .client = device->name,
        .table = table_of(row),
        .row = id_of(row),
        .expected = memory_copy_text("no such row on the device"),
        .seen = memory_format("the row, in bucket %.200s", bucket->name),
        .time = watcher->now,
        .explanation =
            memory_format(at_end ? "At the end %s still holds a row that its streams do not give it "
                                   "any more."
                                 : "%s holds a row that its streams never gave it.",
                          device->name),
    };
    checker_report(watcher->checker, &violation);
}

/* The oracle knows a row from the first commit on at which the client may see it. */
static void judge_row(const struct watcher *watcher, const struct device *device,
                      const struct held_bucket *bucket, struct held_row *row, bool at_end) {
    if (row->judged && !at_end)
        return;
    row->judged = true;
    if (!has_table(watcher->checker, table_of(row)))
        return; /* the oracle says nothing of tables that the app does not have */
    const struct oracle_row *known = oracle_user_row(device->user, table_of(row), id_of(row));
    if (known == NULL || (at_end && known->text == NULL))
        report(watcher, device, bucket, row, at_end);
}

static void judge(const struct watcher *watcher, struct device *device, bool at_end) {
    const struct map_entry *entry;
    if (!device->dirty && !at_end)
        return;
    device->dirty = false;
    for (size_t i = 0; (entry = map_next(&device->buckets, &i)) != NULL;) {
        const struct held_bucket *bucket = entry->value;
        for (size_t j = 0; j < bucket->rows.count; j++)
            judge_row(watcher, device, bucket, &bucket->rows.rows[j], at_end);
    }
}

/* --- lines --- */

static void see_buckets(struct watched_stream *stream, const struct sync_line *line) {
    struct device *device = stream->device;
    for (size_t i = 0; i < line->n_removed; i++)
        drop_bucket(device, line->removed[i].bytes, line->removed[i].length);
    if (line->kind != SYNC_LINE_CHECKPOINT)
        return;
    device->requests++; /* a whole checkpoint names every bucket that the device keeps */
    for (size_t i = 0; i < line->n_buckets; i++) {
        struct held_bucket *bucket = open_bucket(device, &line->buckets[i].name);
        if (line->buckets[i].count == 0)
            held_rows_clear(&bucket->rows);
    }
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&device->buckets, &i)) != NULL;) {
        struct held_bucket *bucket = entry->value;
        if (bucket->request != device->requests)
            held_rows_clear(&bucket->rows);
    }
}

static void see_data(struct watched_stream *stream, const struct sync_line *line) {
    struct held_bucket *bucket = open_bucket(stream->device, &line->bucket);
    if (line->after == 0)
        held_rows_clear(&bucket->rows);
    for (size_t i = 0; i < line->n_operations; i++)
        apply(stream, bucket, &line->operations[i]);
}

static void see_line(void *context, const char *bytes, size_t length) {
    struct watched_stream *stream = context;
    struct watcher *watcher = stream->watcher;
    struct sync_line line;
    if (sync_line_parse(&watcher->parser, bytes, length, &line, NULL) != STATUS_OK)
        return; /* wire-grammar tells */
    if (line.kind == SYNC_LINE_CHECKPOINT || line.kind == SYNC_LINE_CHECKPOINT_DIFF)
        see_buckets(stream, &line);
    else if (line.kind == SYNC_LINE_DATA)
        see_data(stream, &line);
    else if (line.kind == SYNC_LINE_CHECKPOINT_COMPLETE)
        judge(watcher, stream->device, false);
}

/* --- streams --- */

static void free_stream(void *value) {
    struct watched_stream *stream = value;
    stream_lines_free(&stream->lines);
    free(stream);
}

static void free_asked(struct device *device) {
    for (size_t i = 0; i < device->asked.n_subscriptions; i++) {
        free((char *)(uintptr_t)device->asked.subscriptions[i].stream);
        free((char *)(uintptr_t)device->asked.subscriptions[i].parameters);
    }
    free((struct client_subscription *)(uintptr_t)device->asked.subscriptions);
}

/* From now on its streams are those that this request asks for. */
static void read_request(const struct watcher *watcher, struct device *device,
                         const struct http_request *request) {
    json_t *body = json_parse(request->body, request->body_length, NULL);
    const json_t *list = json_object_get(json_object_get(body, "streams"), "subscriptions");
    struct client_subscription *asked = memory_allocate_array(json_array_size(list) + 1, sizeof *asked);
    struct buffer text = {0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *parameters = json_object_get(json_array_get(list, i), "parameters");
        buffer_clear(&text);
        if (json_is_object(parameters))
            json_append_sorted(&text, parameters);
        asked[i].stream = memory_copy_text(json_text(json_array_get(list, i), "stream"));
        asked[i].parameters = text.length > 0 ? memory_copy_text(buffer_text(&text)) : NULL;
    }
    if (device->request != NULL)
        device->asked.parameters = device->request->parameters;
    free_asked(device);
    device->asked.subscriptions = asked;
    device->asked.n_subscriptions = json_array_size(list);
    device->request = &device->asked;
    const struct oracle_user *user =
        oracle_find(checker_oracle(watcher->checker), device->identity, device->request);
    device->user = user == NULL ? device->user : user;
    buffer_free(&text);
    json_decref(body);
}

static void start_stream(struct watcher *watcher, const struct wire_event *event, const char *key) {
    struct device *device = map_get(&watcher->devices, event->client);
    if (device == NULL)
        return;
    if (checker_settings(watcher->checker)->streams_change)
        read_request(watcher, device, event->request);
    struct watched_stream *stream = memory_allocate(sizeof *stream);
    stream->watcher = watcher;
    stream->device = device;
    map_set(&watcher->streams, key, stream);
}

static void see_wire(void *self, int64_t now, const struct wire_event *event) {
    struct watcher *watcher = self;
    char key[17];
    if (!stream_lines_is_stream(event))
        return;
    watcher->now = now;
    stream_lines_key(event->exchange, key);
    struct watched_stream *stream = map_get(&watcher->streams, key);
    if (event->kind == WIRE_REQUEST) {
        start_stream(watcher, event, key);
    } else if (stream == NULL) {
        return;
    } else if (event->kind == WIRE_RESPONSE) {
        stream->lines.encoding = stream_lines_encoding(event);
    } else if (event->kind == WIRE_WRITE) {
        stream_lines_body(&stream->lines, event->bytes, event->length, see_line, stream);
    } else if (event->kind == WIRE_END || event->kind == WIRE_FAILED || event->kind == WIRE_ABORTED ||
               event->kind == WIRE_CLOSED) {
        map_remove(&watcher->streams, key);
        free_stream(stream);
    }
}

static void finish(void *self) {
    const struct watcher *watcher = self;
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&watcher->devices, &i)) != NULL;)
        judge(watcher, entry->value, true);
}

/* --- clearing and signing in --- */

static void forget_all(struct device *device) {
    map_clear(&device->buckets, free_bucket);
}

/* From now on every row on the device must be one of this user's. */
static void change_user(struct watcher *watcher, struct device *device, const char *name) {
    const struct oracle_user *user = oracle_find(checker_oracle(watcher->checker), name, device->request);
    const struct map_entry *entry;
    device->identity = name;
    if (user == NULL || user == device->user)
        return;
    device->user = user;
    for (size_t i = 0; (entry = map_next(&device->buckets, &i)) != NULL;) {
        struct held_bucket *bucket = entry->value;
        for (size_t j = 0; j < bucket->rows.count; j++)
            bucket->rows.rows[j].judged = false;
    }
    device->dirty = true;
    judge(watcher, device, false);
}

static void see_record(void *self, const struct history_record *record) {
    struct watcher *watcher = self;
    const struct note *note = &record->note;
    bool clears = note->kind == NOTE_VIEW && note->text != NULL && strcmp(note->text, "clear") == 0;
    if (!clears && note->kind != NOTE_IDENTITY)
        return;
    struct device *device = map_get(&watcher->devices, record->node);
    if (device == NULL)
        return;
    watcher->now = record->time;
    if (clears && note->transaction == 0)
        forget_all(device);
    else if (note->kind == NOTE_IDENTITY && note->text != NULL)
        change_user(watcher, device, note->text);
}

/* --- life --- */

static void free_device(void *value) {
    struct device *device = value;
    map_free(&device->buckets, free_bucket);
    free_asked(device);
    free(device);
}

static void *create(struct checker *checker) {
    const struct check_settings *settings = checker_settings(checker);
    struct watcher *watcher = memory_allocate(sizeof *watcher);
    watcher->checker = checker;
    for (size_t i = 0; i < settings->n_clients; i++) {
        struct device *device = memory_allocate(sizeof *device);
        device->name = settings->clients[i];
        device->identity = settings->users[i];
        device->user = oracle_client(checker_oracle(checker), i);
        device->request = settings->requests == NULL ? NULL : &settings->requests[i];
        map_set(&watcher->devices, device->name, device);
    }
    return watcher;
}

static void destroy(void *self) {
    struct watcher *watcher = self;
    map_free(&watcher->streams, free_stream);
    map_free(&watcher->devices, free_device);
    sync_line_parser_free(&watcher->parser);
    buffer_free(&watcher->key);
    intern_free(&watcher->keys);
    free(watcher);
}

const struct property property_isolation = {
    .name = "isolation",
    .promise = "no row that a client's streams never gave it is ever on the device, shown or not",
    .create = create,
    .record = see_record,
    .wire = see_wire,
    .finish = finish,
    .destroy = destroy,
};
