/* exactly-once: a mutation that a plain Convex client calls takes effect once, however often it is sent, and
 * one that was answered with success has taken effect. Judged by counting: the deployment tells for which
 * session and function it has run a mutation, the client which mutations of its session it called and how
 * they ended. More runs than calls that have not failed: one of them ran twice. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"

/* The calls of one function by one session. */
struct tally {
    char *client;
    uint64_t started, failed, succeeded, ran;
    uint64_t call;   /* record of the oldest call that has not ended, else of the newest */
    bool open;       /* that call has not ended */
    int64_t call_id; /* its request number */
};

struct state {
    struct checker *checker;
    struct map tallies;  /* "session path" */
    struct map sessions; /* client -> session id, the newest */
    struct buffer key;
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void free_tally(void *value) {
    struct tally *tally = value;
    free(tally->client);
    free(tally);
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->tallies, free_tally);
    map_free(&state->sessions, free);
    buffer_free(&state->key);
    free(state);
}

static struct tally *tally_of(struct state *state, const char *session, const char *path) {
    buffer_clear(&state->key);
    buffer_printf(&state->key, "%s %s", session, path);
    struct tally *tally = map_get(&state->tallies, buffer_text(&state->key));
    if (tally == NULL) {
        tally = memory_allocate(sizeof *tally);
        map_set(&state->tallies, buffer_text(&state->key), tally);
    }
    return tally;
}

static void report(struct state *state, const struct tally *tally, const struct history_record *record,
                   const char *expected, const char *seen) {
    const char *path = record->note.rows[0].table;
    const struct violation violation = {
        .property = property_exactly_once.name,
        .client = tally->client != NULL ? tally->client : "",
        .table = path,
        .expected = memory_copy_text(expected),
        .seen = memory_copy_text(seen),
        .first_record = tally->call,
        .second_record = record->number,
        .time = record->time,
        .explanation = memory_format("%s: the session of %s has called it %llu times (%llu failed); the "
                                     "deployment has run it %llu times: %s.",
                                     path, tally->client != NULL ? tally->client : "nobody known",
                                     (unsigned long long)tally->started, (unsigned long long)tally->failed,
                                     (unsigned long long)tally->ran, seen)};
    checker_report(state->checker, &violation);
}

static void on_started(struct state *state, const struct history_record *record) {
    const struct note_row *row = &record->note.rows[0];
    struct tally *tally = tally_of(state, row->values, row->table);
    if (tally->client == NULL) {
        tally->client = memory_copy_text(record->node);
    }
    tally->started++;
    if (!tally->open) {
        tally->open = true;
        tally->call = record->number;
        tally->call_id = record->note.transaction;
    }
    free(map_set(&state->sessions, record->node, memory_copy_text(row->values)));
}

static void on_ended(struct state *state, const struct history_record *record) {
    const char *session = map_get(&state->sessions, record->node);
    if (session == NULL) {
        return;
    }
    struct tally *tally = tally_of(state, session, record->note.rows[0].table);
    bool success = strcmp(record->note.text, "success") == 0;
    tally->open = tally->open && tally->call_id != record->note.transaction;
    tally->succeeded += success;
    tally->failed += !success;
    if (tally->succeeded > tally->ran) {
        report(state, tally, record, "it has run", "answered with success, and never ran");
    }
}

static void on_ran(struct state *state, const struct history_record *record) {
    struct tally *tally = tally_of(state, record->note.rows[0].id, record->note.rows[0].table);
    tally->ran++;
    if (tally->ran > tally->started - tally->failed) {
        report(state, tally, record, "each call runs once", "one of the calls ran twice");
    }
}

static void on_record(void *self, const struct history_record *record) {
    const struct note *note = &record->note;
    bool call = note->kind == NOTE_CALL_STARTED || note->kind == NOTE_CALL_ENDED;
    if (note->kind == NOTE_CALL_RAN && *note->rows[0].id != 0) {
        on_ran(self, record);
    } else if (call && note->n_rows == 1 && note->rows[0].operation != NULL &&
               strcmp(note->rows[0].operation, "mutation") == 0) {
        if (note->kind == NOTE_CALL_STARTED) {
            on_started(self, record);
        } else {
            on_ended(self, record);
        }
    }
}

const struct property property_exactly_once = {
    .name = "exactly-once",
    .promise = "a mutation that a plain Convex client calls takes effect once, however often it is sent",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
