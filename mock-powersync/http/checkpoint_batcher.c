#include "mock-powersync/http/checkpoint_batcher.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

#define BATCHES_MOST 3
#define TURN TIME_MILLISECOND /* until requests that come together have all come */

struct checkpoint_entry {
    struct checkpoint_wait *wait; /* NULL: nobody waits */
    char *key;
    int64_t supplied; /* 0: the next id */
    int64_t id;       /* 0: not stored yet */
    struct checkpoint_entry *next;
};

struct batch {
    struct checkpoint_batcher *batcher; /* NULL: not in use */
    struct checkpoint_entry *first;
    int64_t head;
    bool stored;
    bool marked;
    struct source_call *call;
    uint64_t timer;
};

struct checkpoint_batcher {
    struct host *host;
    struct source *source;
    struct storage *storage;
    struct checkpoint_entry *pending;
    struct checkpoint_entry **pending_end;
    uint64_t timer;
    struct batch batches[BATCHES_MOST];
};

static void schedule(struct checkpoint_batcher *batcher);

/* --- the end of a batch --- */

static void free_entry(struct checkpoint_entry *entry) {
    free(entry->key);
    free(entry);
}

/* Those who are told may add requests; the batch is over by then. */
static void finish(struct batch *batch, const struct http_error *error) {
    struct checkpoint_batcher *batcher = batch->batcher;
    struct checkpoint_entry *entry = batch->first;
    assert(!batch->call && !batch->timer);
    *batch = (struct batch){0};
    schedule(batcher);
    while (entry) {
        struct checkpoint_entry *next = entry->next;
        struct checkpoint_wait *wait = entry->wait;
        assert(error || entry->id > 0);
        if (wait) {
            wait->entry = NULL;
            wait->done(wait->context, error ? 0 : entry->id, error);
        }
        free_entry(entry);
        entry = next;
    }
}

static void fail(struct batch *batch, const char *details) {
    struct http_error error;
    http_error_set(&error, 500, "InternalServerError", "PSYNC_S2001", "Something went wrong");
    snprintf(error.details, sizeof error.details, "%.500s", details);
    finish(batch, &error);
}

/* --- one batch --- */

static void on_marker(void *context, const struct source_reply *reply);

static void mark(struct batch *batch) {
    batch->call = source_mark(batch->batcher->source, on_marker, batch);
}

/* The greatest id that clients supplied under the key; 0: none did. */
static int64_t greatest_supplied(const struct batch *batch, const char *key) {
    int64_t greatest = 0;
    for (const struct checkpoint_entry *entry = batch->first; entry; entry = entry->next)
        if (entry->supplied > greatest && strcmp(entry->key, key) == 0)
            greatest = entry->supplied;
    return greatest;
}

/* One change for each key. An id that a client chose and whose head is passed already needs no marker. */
static bool store_all(struct batch *batch) {
    struct write_checkpoints *checkpoints = &batch->batcher->storage->write_checkpoints;
    int64_t now = host_wall_clock(batch->batcher->host);
    struct map stored = {0};
    bool advances = false;
    for (struct checkpoint_entry *entry = batch->first; entry; entry = entry->next) {
        struct checkpoint_entry *same = map_get(&stored, entry->key);
        int64_t supplied = same ? 0 : greatest_supplied(batch, entry->key);
        entry->id = same       ? same->id
                    : supplied ? write_checkpoints_supply(checkpoints, entry->key, supplied, batch->head, now)
                               : write_checkpoints_next(checkpoints, entry->key, batch->head, now);
        advances = advances || write_checkpoints_record(checkpoints, entry->key)->pending;
        map_set(&stored, entry->key, same ? same : entry);
    }
    map_free(&stored, NULL);
    return advances;
}

static void store_mapping(void *context) {
    struct batch *batch = context;
    batch->timer = 0;
    assert(!batch->stored && !batch->call);
    bool advances = store_all(batch);
    batch->stored = true;
    struct error error;
    if (storage_flush(batch->batcher->storage, &error))
        fail(batch, error.message);
    else if (batch->marked || !advances)
        finish(batch, NULL);
    else
        mark(batch);
}

static void reach_mapping(struct batch *batch) {
    struct host *host = batch->batcher->host;
    struct fault_point fault = host_fault_point(host, "service.before-mapping");
    if (fault.action == FAULT_ERROR)
        fail(batch, "storage failed before the mapping was stored");
    else if (fault.action == FAULT_DELAY)
        batch->timer = host_timer_set(host, fault.delay, store_mapping, batch);
    else
        store_mapping(batch);
}

/* A marker that answers 200 counts as set, whatever the answer says, as in the real service. */
static void on_marker(void *context, const struct source_reply *reply) {
    struct batch *batch = context;
    batch->call = NULL;
    batch->marked = !reply->failure;
    if (!batch->marked)
        fail(batch, reply->failure->message);
    else if (batch->stored)
        finish(batch, NULL);
    else
        reach_mapping(batch);
}

/* Mutants: replicated-head, how far replication is instead of the source; head-above-marker, a position that
 * the marker does not reach, as from a second write of it. */
static int64_t head_from(const struct batch *batch, int64_t position) {
    struct host *host = batch->batcher->host;
    struct replication_stream *serving = storage_serving(batch->batcher->storage);
    if (serving && host_mutant(host, "replicated-head"))
        return serving->buckets->lsn;
    return host_mutant(host, "head-above-marker") ? position + 10 * TIME_MINUTE : position;
}

static void on_head(void *context, const struct source_reply *reply) {
    struct batch *batch = context;
    batch->call = NULL;
    batch->head = reply->failure ? 0 : head_from(batch, reply->position);
    if (reply->failure)
        fail(batch, reply->failure->message);
    else if (host_mutant(batch->batcher->host, "ack-before-mapping"))
        mark(batch);
    else
        reach_mapping(batch);
}

static void start_batch(struct checkpoint_batcher *batcher, struct batch *batch) {
    *batch = (struct batch){.batcher = batcher, .first = batcher->pending};
    batcher->pending = NULL;
    batcher->pending_end = &batcher->pending;
    if (storage_serving(batcher->storage)) {
        batch->call = source_head(batcher->source, on_head, batch);
        return;
    }
    struct http_error error;
    http_error_set(&error, 500, "ServiceError", "PSYNC_S2302", "No sync config available");
    finish(batch, &error);
}

/* --- requests --- */

static void pump(void *context) {
    struct checkpoint_batcher *batcher = context;
    batcher->timer = 0;
    for (size_t i = 0; i < BATCHES_MOST && batcher->pending; i++)
        if (!batcher->batches[i].batcher)
            start_batch(batcher, &batcher->batches[i]);
}

static void schedule(struct checkpoint_batcher *batcher) {
    if (batcher->pending && !batcher->timer)
        batcher->timer = host_timer_set(batcher->host, TURN, pump, batcher);
}

void checkpoint_batcher_add(struct checkpoint_batcher *batcher, const char *key, int64_t supplied,
                            struct checkpoint_wait *wait) {
    assert(wait && !wait->entry && supplied >= 0);
    struct checkpoint_entry *entry = memory_allocate(sizeof *entry);
    *entry = (struct checkpoint_entry){.wait = wait, .key = memory_copy_text(key), .supplied = supplied};
    wait->entry = entry;
    *batcher->pending_end = entry;
    batcher->pending_end = &entry->next;
    schedule(batcher);
}

void checkpoint_wait_forget(struct checkpoint_wait *wait) {
    if (wait->entry)
        wait->entry->wait = NULL;
    wait->entry = NULL;
}

/* --- life --- */

struct checkpoint_batcher *checkpoint_batcher_create(struct host *host, struct source *source,
                                                     struct storage *storage) {
    struct checkpoint_batcher *batcher = memory_allocate(sizeof *batcher);
    batcher->host = host;
    batcher->source = source;
    batcher->storage = storage;
    batcher->pending_end = &batcher->pending;
    return batcher;
}

static void free_entries(struct checkpoint_entry *entry) {
    while (entry) {
        struct checkpoint_entry *next = entry->next;
        if (entry->wait)
            entry->wait->entry = NULL;
        free_entry(entry);
        entry = next;
    }
}

void checkpoint_batcher_destroy(struct checkpoint_batcher *batcher) {
    if (!batcher)
        return;
    for (size_t i = 0; i < BATCHES_MOST; i++) {
        source_cancel(batcher->batches[i].call);
        host_timer_cancel(batcher->host, batcher->batches[i].timer);
        free_entries(batcher->batches[i].first);
    }
    free_entries(batcher->pending);
    host_timer_cancel(batcher->host, batcher->timer);
    free(batcher);
}
