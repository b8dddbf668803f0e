#include "mock-powersync/storage/write_checkpoint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SWEEP_LEAST 1024 /* records that nobody needs are not looked for below this number */

static void free_record(void *value) {
    struct write_checkpoint *record = value;
    assert(!record->watches.first);
    free(record);
}

void write_checkpoints_free(struct write_checkpoints *checkpoints) {
    map_free(&checkpoints->records, free_record);
    free(checkpoints->pending);
    free(checkpoints->unstored);
    *checkpoints = (struct write_checkpoints){0};
}

struct write_checkpoint *write_checkpoints_record(struct write_checkpoints *checkpoints, const char *key) {
    struct write_checkpoint *record = map_get(&checkpoints->records, key);
    if (!record) {
        size_t length = strlen(key);
        record = memory_allocate(sizeof *record + length + 1);
        memcpy(record->key, key, length);
        map_set(&checkpoints->records, key, record);
    }
    return record;
}

static void changed(struct write_checkpoints *checkpoints, struct write_checkpoint *record) {
    if (!checkpoints->lists_unstored || record->unstored)
        return;
    record->unstored = true;
    MEMORY_RESERVE(checkpoints->unstored, checkpoints->unstored_capacity, checkpoints->n_unstored + 1);
    checkpoints->unstored[checkpoints->n_unstored++] = record;
}

/* Mutant slot-per-user: what other devices of the user still wait for is overwritten. */
static void forget_others(struct write_checkpoints *checkpoints, const struct write_checkpoint *record) {
    const size_t user = strcspn(record->key, "/");
    for (size_t i = 0; i < checkpoints->n_pending; i++) {
        struct write_checkpoint *other = checkpoints->pending[i];
        if (other != record && strcspn(other->key, "/") == user && !strncmp(other->key, record->key, user))
            other->head = INT64_MAX;
    }
}

/* Heads are read concurrently, so that of an old request may arrive after a newer request was stored. The
 * real service replaces the head all the same: the newest id is then announced before the writes of the
 * request in between are in the checkpoint, and a client shows a state without its own upload. Here the later
 * head stays. */
static void store(struct write_checkpoints *checkpoints, struct write_checkpoint *record, int64_t id,
                  int64_t head, int64_t now) {
    assert(id > record->id && head >= 0);
    record->id = id;
    record->requested_at = now;
    if (head > record->head || checkpoints->heads_may_go_back)
        record->head = head;
    if (checkpoints->one_for_a_user)
        forget_others(checkpoints, record);
    changed(checkpoints, record);
    write_checkpoint_wait(checkpoints, record);
}

void write_checkpoint_wait(struct write_checkpoints *checkpoints, struct write_checkpoint *record) {
    if (record->pending)
        return;
    record->pending = true;
    MEMORY_RESERVE(checkpoints->pending, checkpoints->pending_capacity, checkpoints->n_pending + 1);
    checkpoints->pending[checkpoints->n_pending++] = record;
}

int64_t write_checkpoints_next(struct write_checkpoints *checkpoints, const char *key, int64_t head,
                               int64_t now) {
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, key);
    record->supplied = false;
    store(checkpoints, record, record->id + 1, head, now);
    return record->id;
}

int64_t write_checkpoints_supply(struct write_checkpoints *checkpoints, const char *key, int64_t id,
                                 int64_t head, int64_t now) {
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, key);
    if (id > record->id) {
        record->supplied = true;
        store(checkpoints, record, id, head, now);
    } else if (id == record->id) {
        record->requested_at = now;
        changed(checkpoints, record);
    }
    return record->id;
}

void write_checkpoints_replicate(struct write_checkpoints *checkpoints, const char *key, int64_t id,
                                 int64_t position, int64_t now) {
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, key);
    if (id <= record->id)
        return;
    record->supplied = false;
    store(checkpoints, record, id, position, now);
}

size_t write_checkpoints_expire(struct write_checkpoints *checkpoints, int64_t before) {
    size_t count = 0;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&checkpoints->records, &i));) {
        struct write_checkpoint *record = entry->value;
        if (record->id == 0 || !record->supplied || record->pending || record->requested_at >= before)
            continue;
        record->id = 0;
        record->head = 0;
        changed(checkpoints, record);
        count++;
    }
    return count;
}

/* Every client that ever connected has a record; most never ask for anything. */
static void sweep(struct write_checkpoints *checkpoints) {
    if (checkpoints->records.count < checkpoints->sweep_at)
        return;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&checkpoints->records, &i));) {
        struct write_checkpoint *record = entry->value;
        if (record->id == 0 && !record->watches.first && !record->unstored)
            free_record(map_remove(&checkpoints->records, record->key));
    }
    checkpoints->sweep_at = SWEEP_LEAST + 2 * checkpoints->records.count;
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
    sweep(checkpoints);
}

void write_checkpoints_stored(struct write_checkpoints *checkpoints) {
    for (size_t i = 0; i < checkpoints->n_unstored; i++)
        checkpoints->unstored[i]->unstored = false;
    checkpoints->n_unstored = 0;
}

int64_t write_checkpoint_visible(const struct write_checkpoint *record, int64_t lsn) {
    return record->head <= lsn ? record->id : 0;
}

char *write_checkpoint_key(const char *user, const char *client_id) {
    return client_id ? memory_format("%s/%s", user, client_id) : memory_copy_text(user);
}

/* Ids of users and clients are texts of tokens and requests: none begins with this. */
char *write_checkpoint_hidden_key(const char *user, const char *client_id) {
    return memory_format("\001%s/%s", user, client_id != NULL ? client_id : "");
}
