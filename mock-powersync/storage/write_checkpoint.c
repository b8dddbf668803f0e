#include "mock-powersync/storage/write_checkpoint.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

static void free_record(void *value) {
    struct write_checkpoint *record = value;
    assert(!record->watches.first);
    free(record);
}

void write_checkpoints_free(struct write_checkpoints *checkpoints) {
    map_free(&checkpoints->records, free_record);
    free(checkpoints->pending);
    *checkpoints = (struct write_checkpoints){0};
}

struct write_checkpoint *write_checkpoints_record(struct write_checkpoints *checkpoints, const char *key) {
    struct write_checkpoint *record = map_get(&checkpoints->records, key);
    if (!record) {
        record = memory_allocate(sizeof *record);
        map_set(&checkpoints->records, key, record);
    }
    return record;
}

/* Heads are read concurrently, so that of an old request may arrive after a newer request was stored. The
 * real service replaces the head all the same: the newest id is then announced before the writes of the
 * request in between are in the checkpoint, and a client shows a state without its own upload. Here the later
 * head stays. */
static void store(struct write_checkpoints *checkpoints, struct write_checkpoint *record, int64_t id,
                  int64_t head) {
    assert(id > record->id && head >= 0);
    record->id = id;
    if (head > record->head || checkpoints->heads_may_go_back)
        record->head = head;
    if (record->pending)
        return;
    record->pending = true;
    MEMORY_RESERVE(checkpoints->pending, checkpoints->pending_capacity, checkpoints->n_pending + 1);
    checkpoints->pending[checkpoints->n_pending++] = record;
}

int64_t write_checkpoints_next(struct write_checkpoints *checkpoints, const char *key, int64_t head) {
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, key);
    store(checkpoints, record, record->id + 1, head);
    return record->id;
}

int64_t write_checkpoints_supply(struct write_checkpoints *checkpoints, const char *key, int64_t id,
                                 int64_t head) {
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, key);
    if (id > record->id)
        store(checkpoints, record, id, head);
    return record->id;
}

void write_checkpoints_published(struct write_checkpoints *checkpoints, int64_t lsn) {
    size_t kept = 0;
    for (size_t i = 0; i < checkpoints->n_pending; i++) {
        struct write_checkpoint *record = checkpoints->pending[i];
        assert(record->pending);
        if (record->head > lsn) {
            checkpoints->pending[kept++] = record;
            continue;
        }
        record->pending = false;
        watch_wake_all(&record->watches);
    }
    checkpoints->n_pending = kept;
}

int64_t write_checkpoint_visible(const struct write_checkpoint *record, int64_t lsn) {
    return record->head <= lsn ? record->id : 0;
}

char *write_checkpoint_key(const char *user, const char *client_id) {
    return client_id ? memory_format("%s/%s", user, client_id) : memory_copy_text(user);
}
