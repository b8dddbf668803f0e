#include "history/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "history/narrate.h"
#include "history/trace.h"

enum { MAX_SUBSCRIBERS = 4 };

struct subscriber {
    void (*record)(void *context, const struct history_record *record);
    void *context;
};

/* Lists of fewer rows are not worth looking for. */
enum { SHARED_ROWS = 8 };

struct history {
    struct arena arena; /* records and all that they point to */
    struct history_record **records;
    size_t length;
    size_t capacity;
    struct intern lists;   /* of rows, by the addresses of their texts: as many devices see the same change */
    struct note_row *list; /* being put together */
    size_t list_capacity;
    struct intern texts; /* names, ids, rows: many records hold the same, as many devices show the same */
    struct subscriber subscribers[MAX_SUBSCRIBERS];
    size_t n_subscribers;
    struct trace *trace;
    struct buffer *narration; /* borrowed; NULL: silent */
};

struct history *history_create(void) {
    struct history *history = memory_allocate(sizeof *history);
    history->trace = trace_create();
    return history;
}

void history_destroy(struct history *history) {
    if (history == NULL)
        return;
    trace_destroy(history->trace);
    intern_free(&history->texts);
    intern_free(&history->lists);
    free(history->list);
    arena_free(&history->arena);
    free(history->records);
    free(history);
}

static const struct note_row *keep_rows(struct history *history, const struct note *note) {
    if (note->n_rows == 0)
        return NULL;
    assert(note->rows != NULL);
    MEMORY_RESERVE(history->list, history->list_capacity, note->n_rows);
    struct note_row *rows = history->list;
    for (size_t i = 0; i < note->n_rows; i++) {
        const struct note_row *row = &note->rows[i];
        assert(row->table != NULL && row->id != NULL);
        rows[i].operation = intern_text(&history->texts, row->operation);
        rows[i].table = intern_text(&history->texts, row->table);
        rows[i].id = intern_text(&history->texts, row->id);
        rows[i].values = intern_text(&history->texts, row->values);
    }
    const size_t bytes = note->n_rows * sizeof *rows;
    if (note->n_rows >= SHARED_ROWS)
        return (const void *)intern_bytes(&history->lists, rows, bytes);
    return memcpy(arena_allocate(&history->arena, bytes), rows, bytes);
}

const struct history_record *history_add(struct history *history, int64_t time, const char *node,
                                         const struct note *note) {
    assert(node != NULL && time >= 0);
    struct history_record *record = arena_allocate(&history->arena, sizeof *record);
    MEMORY_RESERVE(history->records, history->capacity, history->length + 1);
    history->records[history->length++] = record;
    record->number = history->length;
    record->time = time;
    record->node = intern_text(&history->texts, node);
    record->note = *note;
    record->note.text = intern_text(&history->texts, note->text);
    record->note.rows = keep_rows(history, note);
    trace_note(history->trace, time, node, note);
    if (history->narration != NULL && note->kind != NOTE_READS) { /* too much to read */
        history_narrate(history->narration, record);
        buffer_append_char(history->narration, '\n');
    }
    for (size_t i = 0; i < history->n_subscribers; i++)
        history->subscribers[i].record(history->subscribers[i].context, record);
    return record;
}

static void observe_note(void *context, int64_t now, const char *node, const struct note *note) {
    history_add(context, now, node, note);
}

static void observe_wire(void *context, int64_t now, const struct wire_event *event) {
    struct history *history = context;
    trace_wire(history->trace, now, event);
}

void history_attach(struct history *history, struct world *world, struct buffer *narration) {
    history->narration = narration;
    const struct world_observer observer = {.note = observe_note, .wire = observe_wire, .context = history};
    world_observe(world, &observer);
}

size_t history_length(const struct history *history) {
    return history->length;
}

const struct history_record *history_get(const struct history *history, size_t index) {
    assert(index < history->length);
    return history->records[index];
}

void history_subscribe(struct history *history,
                       void (*record)(void *context, const struct history_record *record), void *context) {
    assert(record != NULL && history->n_subscribers < MAX_SUBSCRIBERS);
    history->subscribers[history->n_subscribers++] = (struct subscriber){record, context};
}

struct hash128 history_trace_hash(const struct history *history) {
    return trace_hash(history->trace);
}

uint64_t history_trace_length(const struct history *history) {
    return trace_length(history->trace);
}

size_t history_trace_marks(const struct history *history, const uint64_t **marks) {
    return trace_marks(history->trace, marks);
}
