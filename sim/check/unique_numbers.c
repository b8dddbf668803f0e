/* unique-numbers: in the app tickets no two tickets have one number, and a number stays what it is, whoever
 * looks, at any time. A ticket that the backend has not seen yet has none. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/properties.h"
#include "check/viewers.h"

struct state {
    struct checker *checker;
    struct viewers viewers;
    const struct viewer_row *renumbered; /* by the record; NULL: none */
    int64_t before;
};

/* The tickets of a viewer that have one number. */
struct holders {
    size_t count;
    const struct viewer_row *latest;
};

struct tally {
    struct map numbers;           /* bytes of the number -> struct holders */
    const struct holders *shared; /* by the record: a number that got a second holder; NULL: none */
};

static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    struct state *state = self;
    struct tally *tally = viewer->tally;
    const int64_t before = row->kept;
    row->kept = viewer_whole(values, "number");
    if (before == row->kept)
        return;
    if (before != 0) {
        struct holders *holders = map_get_bytes(&tally->numbers, &before, sizeof before);
        holders->count--;
        if (row->text != NULL) {
            state->renumbered = row;
            state->before = before;
        }
    }
    if (row->kept == 0)
        return;
    struct holders *holders = map_get_bytes(&tally->numbers, &row->kept, sizeof row->kept);
    if (holders == NULL) {
        holders = memory_allocate(sizeof *holders);
        map_set_bytes(&tally->numbers, &row->kept, sizeof row->kept, holders);
    }
    holders->latest = row;
    if (++holders->count > 1)
        tally->shared = holders;
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    state->renumbered = NULL;
    const struct viewer *viewer = viewers_record(&state->viewers, record);
    if (viewer == NULL)
        return;
    struct tally *tally = viewer->tally;
    const struct holders *shared = tally->shared;
    tally->shared = NULL;
    if (shared != NULL && shared->count > 1)
        viewers_report(state->checker, &property_unique_numbers, viewer, shared->latest, record,
                       memory_copy_text("a number of its own"),
                       memory_format("%lld", (long long)shared->latest->kept),
                       memory_format("For %s %zu tickets have the number %lld.", viewer->name, shared->count,
                                     (long long)shared->latest->kept));
    else if (state->renumbered != NULL)
        viewers_report(state->checker, &property_unique_numbers, viewer, state->renumbered, record,
                       memory_format("%lld", (long long)state->before),
                       memory_format("%lld", (long long)state->renumbered->kept),
                       memory_copy_text("The ticket had a number already, and now it has another."));
}

static bool wants(const char *table) {
    return strcmp(table, "tickets") == 0;
}

static void free_tally(void *tally) {
    map_free(&((struct tally *)tally)->numbers, free);
}

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->viewers = (struct viewers){.self = state,
                                      .wants = wants,
                                      .change = change,
                                      .tally_size = sizeof(struct tally),
                                      .free_tally = free_tally};
    viewers_begin(&state->viewers, checker);
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    viewers_free(&state->viewers);
    free(state);
}

const struct property property_unique_numbers = {
    .name = "unique-numbers",
    .promise = "no two tickets of the app tickets have one number, and a number never changes",
    .create = create,
    .record = record,
    .destroy = destroy,
};
