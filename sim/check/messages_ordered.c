/* messages-ordered: in the app chat the deployment gets the messages of one device in one room in the order
 * in which they were written, and whoever shows one of them shows all that were committed before it.
 *
 * Each message gets its place in its thread (a device, a room) when it is committed. A client shows a thread
 * without gap when it shows as many messages with a place as the highest place says. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/viewers.h"

struct thread {
    const char *sender; /* a node */
    size_t committed;
    uint64_t written; /* the latest of committed messages, see struct message */
    uint64_t before;  /* that before the newest commit; the rows of one commit have no order */
    uint64_t commit;  /* record of that */
};

struct message {
    struct thread *thread; /* NULL: nobody has been seen writing it */
    uint64_t written;      /* place among all local writes */
    size_t place;          /* 1, 2, ...; 0: not committed */
};

/* What a client shows of a thread. */
struct seen {
    size_t count, highest;
    bool reported;
};

struct state {
    struct checker *checker;
    struct viewers viewers;
    struct map threads;  /* "node room" -> struct thread */
    struct map messages; /* id -> struct message */
    uint64_t written;
    const struct history_record *record;
    struct buffer key;
};

static struct message *message_of(struct state *state, const char *id) {
    struct message *message = map_get(&state->messages, id);
    if (message == NULL) {
        message = memory_allocate(sizeof *message);
        map_set(&state->messages, id, message);
    }
    return message;
}

static struct seen *seen_of(struct viewer *viewer, const struct thread *thread) {
    struct map *threads = viewer->tally;
    struct seen *seen = map_get_bytes(threads, &thread, sizeof thread);
    if (seen == NULL) {
        seen = memory_allocate(sizeof *seen);
        map_set_bytes(threads, &thread, sizeof thread, seen);
    }
    return seen;
}

static void show(struct viewer *viewer, const struct message *message) {
    struct seen *seen = seen_of(viewer, message->thread);
    seen->count++;
    if (message->place > seen->highest)
        seen->highest = message->place;
}

static void unshow(struct viewer *viewer, const struct message *message) {
    struct seen *seen = seen_of(viewer, message->thread);
    assert(seen->count > 0);
    if (--seen->count == 0 || message->place == seen->highest)
        seen->highest = seen->count;
}

/* The message has its place now; whoever shows it already shows one with a place more. */
static void give_place(struct state *state, const struct viewer *deployment, const struct viewer_row *row,
                       const char *id, struct message *message) {
    struct thread *thread = message->thread;
    message->place = ++thread->committed;
    if (thread->commit != state->record->number)
        thread->before = thread->written;
    thread->commit = state->record->number;
    if (message->written < thread->before)
        viewers_report(
            state->checker, &property_messages_ordered, deployment, row, state->record,
            memory_copy_text("committed in the order of writing"),
            memory_copy_text("committed after a later one"),
            memory_format("%s wrote this message before another one in the same room that is there already.",
                          thread->sender));
    if (message->written > thread->written)
        thread->written = message->written;
    char *key = memory_format("messages %s", id);
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&state->viewers.viewers, &i)) != NULL;) {
        struct viewer *viewer = entry->value;
        const struct viewer_row *shown = viewer->is_deployment ? NULL : map_get(&viewer->rows, key);
        if (shown != NULL && shown->text != NULL)
            show(viewer, message);
    }
    free(key);
}

static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    struct state *state = self;
    const char *id = viewer->is_deployment ? viewer_text(values, "uuid") : row->id;
    struct message *message = id == NULL ? NULL : message_of(state, id);
    if (message == NULL || message->thread == NULL)
        return;
    if (viewer->is_deployment) {
        if (message->place == 0)
            give_place(state, viewer, row, id, message);
    } else if (message->place > 0 && row->was != (row->text != NULL)) {
        if (row->text != NULL)
            show(viewer, message);
        else
            unshow(viewer, message);
    }
}

static void judge(struct state *state, const struct viewer *viewer) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(viewer->tally, &i)) != NULL;) {
        struct seen *seen = entry->value;
        const struct thread *thread;
        memcpy(&thread, entry->key, sizeof thread);
        const bool broken = seen->count < seen->highest;
        if (broken && !seen->reported)
            viewers_report(
                state->checker, &property_messages_ordered, viewer, NULL, state->record,
                memory_format("the first %zu messages of %s", seen->highest, thread->sender),
                memory_format("%zu of them", seen->count),
                memory_format("%s shows a message of %s in a room, but not all that it said before there.",
                              viewer->name, thread->sender));
        seen->reported = broken;
    }
}

static void note_written(struct state *state, const struct history_record *record) {
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        if (strcmp(row->table, "messages") != 0 || row->values == NULL || strcmp(row->operation, "PUT") != 0)
            continue;
        json_t *values = json_parse(row->values, strlen(row->values), NULL);
        const char *room = json_text(values, "room");
        buffer_clear(&state->key);
        buffer_printf(&state->key, "%s %s", record->node, room == NULL ? "" : room);
        struct thread *thread = map_get(&state->threads, buffer_text(&state->key));
        if (thread == NULL) {
            thread = memory_allocate(sizeof *thread);
            thread->sender = record->node;
            map_set(&state->threads, buffer_text(&state->key), thread);
        }
        struct message *message = message_of(state, row->id);
        message->thread = thread;
        message->written = ++state->written;
        json_decref(values);
    }
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    state->record = record;
    if (state->viewers.idle)
        return;
    if (record->note.kind == NOTE_LOCAL_WRITE)
        note_written(state, record);
    const struct viewer *viewer = viewers_record(&state->viewers, record);
    if (viewer != NULL && !viewer->is_deployment)
        judge(state, viewer);
}

static bool wants(const char *table) {
    return strcmp(table, "messages") == 0;
}

static void free_tally(void *tally) {
    map_free(tally, free);
}

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->viewers = (struct viewers){.self = state,
                                      .wants = wants,
                                      .change = change,
                                      .tally_size = sizeof(struct map),
                                      .free_tally = free_tally};
    viewers_begin(&state->viewers, checker);
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    viewers_free(&state->viewers);
    map_free(&state->threads, free);
    map_free(&state->messages, free);
    buffer_free(&state->key);
    free(state);
}

const struct property property_messages_ordered = {
    .name = "messages-ordered",
    .promise = "each device's messages of the app chat arrive in the order of writing, without a gap",
    .create = create,
    .record = record,
    .destroy = destroy,
};
