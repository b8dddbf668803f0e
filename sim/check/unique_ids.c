/* unique-ids: no two devices draw the same random id for a row. Where they do, as after one of them was made
 * from an image of the other, their rows become one, and what one of them wrote is lost without a word.
 * Judged at each local write, for ids that are UUIDs: others are meant to meet. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"

struct state {
    struct checker *checker;
    struct map makers; /* "table id" -> the first history_record that put it */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->makers, NULL);
    free(state);
}

static bool is_uuid(const char *id) {
    return strlen(id) == 36 && strspn(id, "0123456789abcdef-") == 36 && id[8] == '-' && id[13] == '-' &&
           id[18] == '-' && id[23] == '-';
}

static void judge(struct state *state, const struct note_row *row, const struct history_record *record) {
    char *key = memory_format("%s %s", row->table, row->id);
    const struct history_record *first = map_get(&state->makers, key);
    if (first == NULL)
        map_set(&state->makers, key, (void *)(uintptr_t)record);
    free(key);
    if (first == NULL || strcmp(first->node, record->node) == 0)
        return;
    const struct violation violation = {
        .property = property_unique_ids.name,
        .client = record->node,
        .table = row->table,
        .row = row->id,
        .expected = memory_copy_text("an id that no other device has drawn"),
        .seen = memory_format("the one that %s gave a row of its own", first->node),
        .first_record = first->number,
        .second_record = record->number,
        .time = record->time,
        .explanation = memory_format("%s and %s both made %s %s; to everybody else that is one row.",
                                     first->node, record->node, row->table, row->id)};
    checker_report(state->checker, &violation);
}

static void on_record(void *self, const struct history_record *record) {
    for (size_t i = 0; record->note.kind == NOTE_LOCAL_WRITE && i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        if (row->id != NULL && strcmp(row->operation, "PUT") == 0 && is_uuid(row->id))
            judge(self, row, record);
    }
}

const struct property property_unique_ids = {
    .name = "unique-ids",
    .promise = "no two devices draw the same random id for a row",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
