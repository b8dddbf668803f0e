/* watch-hears: a watch query is run again after whatever change of the rows that the device shows, in any
 * table that it reads; changes close together are told of together, and the last one is never left out.
 * Judged at the end, of devices whose app watches: in between a device may sleep. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"
#include "kernel/time.h"

#define THROTTLE (30 * TIME_MILLISECOND)

struct watching {
    bool begun;
    const struct history_record *view; /* the first change since the query ran; NULL: there was none */
};

struct state {
    struct checker *checker;
    struct map devices; /* node -> struct watching */
    int64_t now;
};

static void *create(struct checker *checker) {
    const struct check_settings *settings = checker_settings(checker);
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    for (size_t i = 0; i < settings->n_clients; i++)
        map_set(&state->devices, settings->clients[i], memory_allocate(sizeof(struct watching)));
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->devices, free);
    free(state);
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    struct watching *watching = map_get(&state->devices, record->node);
    state->now = record->time;
    if (watching == NULL)
        return;
    if (record->note.kind == NOTE_WATCHED) {
        watching->begun = true;
        watching->view = NULL;
    } else if (record->note.kind == NOTE_CRASH) {
        watching->view = NULL; /* the app begins anew with what is there */
    } else if (record->note.kind == NOTE_VIEW && record->note.n_rows > 0 && watching->view == NULL) {
        watching->view = record;
    }
}

static void finish(void *self) {
    struct state *state = self;
    const struct map_entry *entry;
    for (size_t at = 0; (entry = map_next(&state->devices, &at)) != NULL;) {
        const struct watching *watching = entry->value;
        if (!watching->begun || watching->view == NULL || state->now <= watching->view->time + THROTTLE)
            continue;
        const struct note_row *row = &watching->view->note.rows[0];
        const struct violation violation = {
            .property = property_watch_hears.name,
            .client = watching->view->node,
            .table = row->table,
            .row = row->id,
            .expected = memory_copy_text("the watch query is run again within 30 ms"),
            .seen = memory_copy_text("it never was"),
            .first_record = watching->view->number,
            .time = watching->view->time,
            .explanation = memory_format("%s %s changed on %s, and what its app shows is from before.",
                                         row->table, row->id, watching->view->node)};
        checker_report(state->checker, &violation);
    }
}

const struct property property_watch_hears = {
    .name = "watch-hears",
    .promise =
        "a watch query is run again after a change in any table that it reads, the last change included",
    .create = create,
    .record = on_record,
    .finish = finish,
    .destroy = destroy,
};
