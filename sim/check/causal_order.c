/* causal-order: in the app registers nobody sees a write without what its writer had seen before it, and
 * nobody's view of a key goes back. Every value is written once, so a value tells which write somebody sees;
 * the order of the commits of a key is the order of its versions.
 *
 * A client must show of each key at least the version that `needs` says. That grows by what the client has
 * shown (monotonic reads), by its own committed writes (read your writes), and by what the writers of the
 * writes that it shows had seen (writes follow reads). A write whose writer had an earlier write that is in
 * no commit breaks monotonic writes. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/viewers.h"

enum { KEYS_MOST = 256 };

struct write {
    const char *writer; /* a node; NULL: it was there from the start */
    int64_t transaction;
    uint64_t record;
    size_t key;
    int64_t version; /* of its key, from 1; 0: not committed */
    bool refused;
    struct write *earlier; /* of the same writer to the same key */
    struct write **seen;   /* what the writer saw, a key each; NULL: nothing yet */
    size_t n_seen;
};

struct need {
    int64_t version;
    const char *why;
    const struct write *because; /* the write that was seen, made, or relied on */
};

struct tally {
    struct write *shown[KEYS_MOST];
    struct write *own[KEYS_MOST]; /* the newest */
    struct need needs[KEYS_MOST];
    bool changed[KEYS_MOST];
    size_t n_shown;
};

struct state {
    struct checker *checker;
    struct viewers viewers;
    struct arena texts; /* names of keys: parsed texts do not last */
    struct map keys;    /* id -> index + 1 */
    struct map writes;  /* value -> struct write */
    const char *names[KEYS_MOST];
    int64_t versions[KEYS_MOST];
    struct write *newest[KEYS_MOST];
    const struct history_record *record;
};

/* KEYS_MOST: there are too many, and this one is left out. */
static size_t key_of(struct state *state, const char *id) {
    size_t index = (size_t)(uintptr_t)map_get(&state->keys, id);
    if (index == 0 && state->keys.count < KEYS_MOST) {
        index = state->keys.count + 1;
        map_set(&state->keys, id, (void *)(uintptr_t)index);
        state->names[index - 1] = arena_copy_text(&state->texts, id);
    }
    return index == 0 ? KEYS_MOST : index - 1;
}

static struct write *write_of(struct state *state, const char *value, size_t key) {
    struct write *write = map_get(&state->writes, value);
    if (write == NULL) {
        write = memory_allocate(sizeof *write);
        write->key = key;
        map_set(&state->writes, value, write);
    }
    return write;
}

/* Earlier writes of the writer to the key that came in the same commit are covered. */
static void commit_write(struct state *state, struct write *write) {
    if (state->newest[write->key] == write)
        return;
    write->version = ++state->versions[write->key];
    state->newest[write->key] = write;
    for (struct write *before = write->earlier; before != NULL && before->version == 0;
         before = before->earlier)
        before->version = write->version;
}

static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    struct state *state = self;
    struct tally *tally = viewer->tally;
    const char *id = viewer->is_deployment ? viewer_text(values, "uuid") : row->id;
    const char *value = viewer_text(values, "value");
    const size_t key = id == NULL ? KEYS_MOST : key_of(state, id);
    if (key == KEYS_MOST)
        return;
    struct write *write = value == NULL ? NULL : write_of(state, value, key);
    if (viewer->is_deployment) {
        if (write != NULL)
            commit_write(state, write);
        return;
    }
    tally->n_shown += (size_t)(write != NULL) - (size_t)(tally->shown[key] != NULL);
    tally->shown[key] = write;
    tally->changed[key] = true;
}

static void note_written(struct state *state, const struct history_record *record) {
    struct viewer *viewer = map_get(&state->viewers.viewers, record->node);
    for (size_t i = 0; viewer != NULL && i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        const size_t key =
            strcmp(row->table, "registers") == 0 && row->values != NULL ? key_of(state, row->id) : KEYS_MOST;
        if (key == KEYS_MOST)
            continue;
        struct tally *tally = viewer->tally;
        json_t *values = json_parse(row->values, strlen(row->values), NULL);
        const char *value = json_text(values, "value");
        struct write *write = value == NULL ? NULL : write_of(state, value, key);
        if (write != NULL && write->writer == NULL) {
            write->writer = record->node;
            write->transaction = record->note.transaction;
            write->record = record->number;
            write->earlier = tally->own[key];
            write->n_seen = state->keys.count;
            write->seen = memory_allocate_array(write->n_seen, sizeof(struct write *));
            memcpy(write->seen, tally->shown, write->n_seen * sizeof(struct write *));
            tally->own[key] = write;
        }
        json_decref(values);
    }
}

static void note_refused(struct state *state, const struct history_record *record) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&state->writes, &i)) != NULL;) {
        struct write *write = entry->value;
        if (write->writer != NULL && write->transaction == record->note.transaction &&
            strcmp(write->writer, record->node) == 0)
            write->refused = true;
    }
}

static void report(struct state *state, const struct viewer *viewer, size_t key, const struct need *need,
                   char *expected, char *seen) {
    const struct violation violation = {
        .property = property_causal_order.name,
        .client = viewer->name,
        .table = "registers",
        .row = state->names[key],
        .expected = expected,
        .seen = seen,
        .first_record = need->because == NULL ? 0 : need->because->record,
        .second_record = state->record->number,
        .time = state->record->time,
        .explanation = memory_format(
            "%s broken: %s shows an older value of this key than it must, by %s.", need->why, viewer->name,
            need->because == NULL || need->because->writer == NULL ? "what it showed before"
                                                                   : need->because->writer)};
    checker_report(state->checker, &violation);
}

static void raise(struct need *need, int64_t version, const char *why, const struct write *because) {
    if (version > need->version)
        *need = (struct need){version, why, because};
}

/* What follows from showing this write. */
static void follow(struct state *state, const struct viewer *viewer, const struct write *write) {
    struct tally *tally = viewer->tally;
    const bool own = write->writer != NULL && strcmp(write->writer, viewer->name) == 0;
    for (size_t k = 0; !own && k < write->n_seen; k++) {
        const struct write *before = write->seen[k];
        if (before == NULL || before->refused)
            continue;
        raise(&tally->needs[k], before->version, "writes follow reads", write);
        const struct need need = {0, "monotonic writes", write};
        if (before->version == 0)
            report(state, viewer, k, &need, memory_copy_text("the writer's earlier write"),
                   memory_copy_text("a later one, while this is in no commit"));
    }
}

/* An own write on its way is newer than all. */
static int64_t version_shown(const struct write *write) {
    if (write == NULL)
        return 0;
    return write->version == 0 ? INT64_MAX : write->version;
}

static void judge_key(struct state *state, const struct viewer *viewer, size_t key) {
    struct tally *tally = viewer->tally;
    struct need *need = &tally->needs[key];
    const struct write *own = tally->own[key], *shown = tally->shown[key];
    const int64_t version = version_shown(shown);
    if (own != NULL && !own->refused)
        raise(need, own->version, "read your writes", own);
    if (version < need->version) {
        report(state, viewer, key, need, memory_format("version %lld or later", (long long)need->version),
               memory_format("version %lld", (long long)version));
        *need = (struct need){0};
    }
    if (version != INT64_MAX)
        raise(need, version, "monotonic reads", shown);
}

static void judge(struct state *state, const struct viewer *viewer) {
    struct tally *tally = viewer->tally;
    if (tally->n_shown == 0) { /* the device was cleared */
        memset(tally, 0, sizeof *tally);
        return;
    }
    for (size_t k = 0; k < state->keys.count; k++)
        if (tally->changed[k] && tally->shown[k] != NULL)
            follow(state, viewer, tally->shown[k]);
    for (size_t k = 0; k < state->keys.count; k++)
        judge_key(state, viewer, k);
    memset(tally->changed, 0, sizeof tally->changed);
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    state->record = record;
    if (state->viewers.idle)
        return;
    if (record->note.kind == NOTE_LOCAL_WRITE)
        note_written(state, record);
    else if (record->note.kind == NOTE_UPLOAD_REJECTED)
        note_refused(state, record);
    const struct viewer *viewer = viewers_record(&state->viewers, record);
    if (viewer != NULL && !viewer->is_deployment)
        judge(state, viewer);
}

static bool wants(const char *table) {
    return strcmp(table, "registers") == 0;
}

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->viewers =
        (struct viewers){.self = state, .wants = wants, .change = change, .tally_size = sizeof(struct tally)};
    viewers_begin(&state->viewers, checker);
    return state;
}

static void free_write(void *value) {
    free(((struct write *)value)->seen);
    free(value);
}

static void destroy(void *self) {
    struct state *state = self;
    viewers_free(&state->viewers);
    map_free(&state->keys, NULL);
    arena_free(&state->texts);
    map_free(&state->writes, free_write);
    free(state);
}

const struct property property_causal_order = {
    .name = "causal-order",
    .promise = "registers: who sees a write sees what its writer had seen, and no key goes back for anybody",
    .create = create,
    .record = record,
    .destroy = destroy,
};
