/* bounded-work: whatever happens, a device asks in moderation. No network and no backend must meet a client
 * that tries without a pause, and nobody should pay twice for what was there already:
 *
 * Each process of a device is judged by itself: the tabs of an app have an SDK each.
 *
 * - at most ATTEMPTS_MOST streams, tokens, or failed uploads of one transaction in any WINDOW;
 * - a new token only when there is a reason: the service refused one or it was about to run out, the app
 *   connected anew, the process began anew;
 * - a write checkpoint only by a device that has ever written: who only reads has nothing to wait for;
 * - at most CORRECTIONS_MOST times in a row the same change of the same row, each time after the row was back
 * to something else: who holds a value to be wrong that comes back from the backend corrects it for ever;
 * - no client throws away what it has downloaded (the core does after a wrong sum, and closes the stream). */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "check/local_row.h"
#include "check/properties.h"
#include "check/stream_lines.h"
#include "check/upload_log.h"
#include "kernel/time.h"

#define WINDOW (10 * TIME_SECOND)
enum { CORRECTIONS_MOST = 7 };
enum { ATTEMPTS_MOST = 20, TOKENS_MOST = 5 /* without a reason: several loops may ask at once */ };

/* When the last ATTEMPTS_MOST of a kind were made. */
struct attempts {
    int64_t times[ATTEMPTS_MOST]; /* a ring */
    uint64_t count;
};

struct worker {
    const char *client;
    struct attempts streams, tokens, uploads;
    int64_t transaction; /* that `uploads` is about */
    unsigned unexplained_tokens;
    bool loads_again; /* the service has lost its storage: what was downloaded does not fit any more */
    bool connected;
    bool wrote;         /* this and `changes`: the device, whichever of its processes it was */
    struct map changes; /* "table id" -> struct change: the newest of this device */
};

struct change {
    const char *values;
    unsigned times; /* in a row */
};

struct watcher {
    struct checker *checker;
    struct map workers; /* node, or node/process -> struct worker */
};

static struct worker *add_worker(struct watcher *watcher, const char *key, const char *client) {
    struct worker *worker = memory_allocate(sizeof *worker);
    worker->client = client;
    map_set(&watcher->workers, key, worker);
    return worker;
}

/* NULL: not a device. */
static struct worker *find_worker(struct watcher *watcher, const char *node, int process) {
    struct worker *worker = node == NULL ? NULL : map_get(&watcher->workers, node);
    if (worker == NULL || process <= 1)
        return worker;
    char *key = memory_format("%s/%d", node, process);
    struct worker *other = map_get(&watcher->workers, key);
    if (other == NULL)
        other = add_worker(watcher, key, worker->client);
    free(key);
    return other;
}

static void report(const struct watcher *watcher, const struct worker *worker, uint64_t record, int64_t time,
                   const char *expected, char *seen) {
    const struct violation violation = {
        .property = property_bounded_work.name,
        .client = worker->client,
        .table = "",
        .row = "",
        .expected = memory_copy_text(expected),
        .seen = seen,
        .first_record = record,
        .time = time,
        .explanation = memory_format("%s works more than what happened asks for.", worker->client)};
    checker_report(watcher->checker, &violation);
}

/* One more. True: too many, and they are counted from the beginning. */
static bool add_attempt(struct attempts *attempts, int64_t time) {
    int64_t *oldest = &attempts->times[attempts->count % ATTEMPTS_MOST];
    const bool full = attempts->count >= ATTEMPTS_MOST;
    const int64_t before = *oldest;
    *oldest = time;
    attempts->count++;
    if (!full || time - before >= WINDOW)
        return false;
    attempts->count = 0;
    return true;
}

static void add_request(const struct watcher *watcher, const struct worker *worker, struct attempts *attempts,
                        int64_t time, const char *what) {
    if (add_attempt(attempts, time))
        report(watcher, worker, 0, time, "at most 20 in 10 s", memory_format("21 %s in less", what));
}

/* --- what devices tell --- */

static void see_failed_upload(const struct watcher *watcher, struct worker *worker,
                              const struct history_record *record) {
    if (worker->transaction != record->note.transaction)
        worker->uploads.count = 0;
    worker->transaction = record->note.transaction;
    if (add_attempt(&worker->uploads, record->time))
        report(watcher, worker, record->number, record->time, "at most 20 in 10 s",
               memory_format("21 failed uploads of transaction %" PRId64 " in less", worker->transaction));
}

/* "connecting" while connected: the request changes, or a fresh token is there. */
static void see_connection(const struct watcher *watcher, struct worker *worker,
                           const struct history_record *record) {
    const char *text = record->note.text;
    if (strcmp(text, "connecting") == 0 && worker->connected)
        worker->unexplained_tokens = 0;
    if (strcmp(text, "disconnected: by the app") == 0 || strcmp(text, "disconnected: token expired") == 0 ||
        strcmp(text, "disconnected: the tab is closed") == 0)
        worker->unexplained_tokens = 0;
    if (strcmp(text, "disconnected: by the app") == 0) /* what comes now is the app's wish, however often */
        worker->streams.count = worker->tokens.count = 0;
    if (strcmp(text, "disconnected: closed by the core") == 0 && !worker->loads_again)
        report(watcher, worker, record->number, record->time, "what was downloaded is kept",
               memory_copy_text("the core closes the stream after a wrong sum"));
    if (strcmp(text, "connecting") != 0)
        worker->connected = strcmp(text, "connected") == 0;
}

static void excuse_all(struct watcher *watcher) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&watcher->workers, &i)) != NULL;)
        ((struct worker *)entry->value)->loads_again = true;
}

static bool changes_something(const struct watcher *watcher, const struct history_record *record,
                              size_t index) {
    const struct note_row *row = &record->note.rows[index];
    const struct client_table *table =
        local_row_table(checker_settings(watcher->checker)->schema, row->table);
    const struct unchanged *unchanged = upload_log_unchanged(checker_uploads(watcher->checker));
    json_t *values = json_parse(row->values, strlen(row->values), NULL);
    bool changes = false;
    for (size_t i = 0; table != NULL && i < table->n_columns; i++)
        changes = changes || (json_object_get(values, table->columns[i].name) != NULL &&
                              !unchanged_has(unchanged, record, index, i));
    json_decref(values);
    return changes;
}

static void see_change(const struct watcher *watcher, struct worker *worker,
                       const struct history_record *record, size_t index) {
    const struct note_row *row = &record->note.rows[index];
    char *key = memory_format("%s %s", row->table, row->id);
    struct change *change = map_get(&worker->changes, key);
    if (change == NULL) {
        change = memory_allocate(sizeof *change);
        map_set(&worker->changes, key, change);
    }
    free(key);
    const bool same =
        change->values != NULL && row->values != NULL && strcmp(change->values, row->values) == 0;
    change->times = same ? change->times + 1 : 1;
    change->values = row->values;
    if (change->times > CORRECTIONS_MOST) {
        report(watcher, worker, record->number, record->time,
               "what the backend makes of a value is taken over",
               memory_format("%s/%s gets the same change for the %uth time, %s", row->table, row->id,
                             change->times, row->values));
        change->times = 0;
    }
}

static void see_write(const struct watcher *watcher, struct worker *worker,
                      const struct history_record *record) {
    worker->wrote = true;
    for (size_t i = 0; i < record->note.n_rows; i++)
        if (strcmp(record->note.rows[i].operation, "PATCH") != 0 || changes_something(watcher, record, i))
            see_change(watcher, worker, record, i);
}

static void see_record(void *self, const struct history_record *record) {
    struct watcher *watcher = self;
    if (record->note.kind == NOTE_STORAGE_LOST)
        excuse_all(watcher);
    struct worker *worker = find_worker(watcher, record->node, record->note.process);
    if (worker == NULL)
        return;
    const bool writes = record->note.kind == NOTE_LOCAL_WRITE && record->note.transaction > 0;
    struct worker *device = find_worker(watcher, record->node, 0);
    device->wrote = device->wrote || writes;
    if (record->note.kind == NOTE_UPLOAD_FAILED)
        see_failed_upload(watcher, worker, record);
    else if (record->note.kind == NOTE_CONNECTION)
        see_connection(watcher, worker, record);
    else if (writes)
        see_write(watcher, device, record);
    else if (record->note.kind == NOTE_RESTART || record->note.kind == NOTE_CRASH)
        worker->unexplained_tokens = 0;
}

/* --- what they send --- */

static bool is_token(const struct wire_event *event) {
    static const char beginning[] = "GET /token?";
    return strncmp(event->target, beginning, sizeof beginning - 1) == 0;
}

/* A page of HTML with 200 is no token, and a reason to ask again. */
static bool has_token(const struct wire_event *event) {
    bool json = event->response == NULL; /* nobody says */
    for (size_t i = 0; event->response != NULL && i < event->response->n_headers; i++)
        if (strcmp(event->response->headers[i].name, "content-type") == 0)
            json = strncmp(event->response->headers[i].value, "application/json", 16) == 0;
    return json;
}

static void see_token(const struct watcher *watcher, struct worker *worker, int64_t time) {
    if (++worker->unexplained_tokens <= TOKENS_MOST)
        return;
    worker->unexplained_tokens = 0;
    report(watcher, worker, 0, time, "a new token when there is a reason",
           memory_copy_text("6 tokens one after the other, none refused or about to run out"));
}

static bool is_write_checkpoint(const struct wire_event *event) {
    static const char beginning[] = "GET /write-checkpoint";
    return strncmp(event->target, beginning, sizeof beginning - 1) == 0;
}

static void see_write_checkpoint(const struct watcher *watcher, const struct worker *worker, int64_t time) {
    if (!worker->wrote)
        report(watcher, worker, 0, time, "no write checkpoint: nothing was written",
               memory_copy_text("a request for one"));
}

static void see_wire(void *self, int64_t now, const struct wire_event *event) {
    struct watcher *watcher = self;
    struct worker *worker = find_worker(watcher, event->client, event->process);
    if (worker == NULL || event->target == NULL)
        return;
    if (event->kind == WIRE_REQUEST && stream_lines_is_stream(event))
        add_request(watcher, worker, &worker->streams, now, "streams");
    else if (event->kind == WIRE_REQUEST && is_token(event))
        add_request(watcher, worker, &worker->tokens, now, "requests for a token");
    else if (event->kind == WIRE_REQUEST && is_write_checkpoint(event))
        see_write_checkpoint(watcher, find_worker(watcher, event->client, 0), now);
    else if (event->kind == WIRE_HEAD_SEEN && event->status == 401)
        worker->unexplained_tokens = 0;
    else if (event->kind == WIRE_HEAD_SEEN && event->status == 200 && is_token(event) && has_token(event))
        see_token(watcher, worker, now);
}

static void *create(struct checker *checker) {
    const struct check_settings *settings = checker_settings(checker);
    struct watcher *watcher = memory_allocate(sizeof *watcher);
    watcher->checker = checker;
    for (size_t i = 0; i < settings->n_clients; i++)
        add_worker(watcher, settings->clients[i], settings->clients[i]);
    return watcher;
}

static void free_worker(void *self) {
    struct worker *worker = self;
    map_free(&worker->changes, free);
    free(worker);
}

static void destroy(void *self) {
    struct watcher *watcher = self;
    map_free(&watcher->workers, free_worker);
    free(watcher);
}

const struct property property_bounded_work = {
    .name = "bounded-work",
    .promise = "no device tries without a pause, fetches tokens without a reason or downloads again "
               "what it had",
    .create = create,
    .record = see_record,
    .wire = see_wire,
    .destroy = destroy,
};
