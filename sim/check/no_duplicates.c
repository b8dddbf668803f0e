/* no-duplicates: in the app diary no entry has one tag twice, and no old entry is there twice, although
 * devices make rows with new ids offline. The deployment never holds two, and no device shows two. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/properties.h"
#include "check/viewers.h"

struct state {
    struct checker *checker;
    struct viewers viewers;
};

struct tally {
    struct map ids;  /* row -> what it stands for */
    struct map rows; /* what rows stand for -> their number */
    char *twice;     /* by the record: what got a second row; NULL: nothing */
    const struct viewer_row *latest;
};

static size_t count_of(const struct tally *tally, const char *meaning) {
    return (uintptr_t)map_get(&tally->rows, meaning);
}

static void add(struct tally *tally, const char *meaning, bool more) {
    const size_t count = more ? count_of(tally, meaning) + 1 : count_of(tally, meaning) - 1;
    map_set(&tally->rows, meaning, (void *)(uintptr_t)count);
}

/* The caller frees it; NULL: the row may be there as often as somebody likes. */
static char *meaning_of(const struct viewer_row *row, const struct viewer_values *values) {
    const char *source = viewer_text(values, "source"), *entry = viewer_text(values, "entry_id");
    const char *name = viewer_text(values, "name");
    if (row->text == NULL)
        return NULL;
    if (strcmp(row->table, "entries") == 0)
        return source == NULL ? NULL : memory_format("the old entry %s", source);
    return entry == NULL || name == NULL ? NULL : memory_format("the tag %s of %s", name, entry);
}

static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    struct tally *tally = viewer->tally;
    char *key = memory_format("%s %s", row->table, row->id);
    char *meaning = meaning_of(row, values), *before = map_set(&tally->ids, key, meaning);
    (void)self;
    free(key);
    if (before != NULL)
        add(tally, before, false);
    free(before);
    if (meaning == NULL)
        return;
    add(tally, meaning, true);
    if (count_of(tally, meaning) > 1) {
        free(tally->twice);
        tally->twice = memory_copy_text(meaning);
        tally->latest = row;
    }
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct viewer *viewer = viewers_record(&state->viewers, record);
    if (viewer == NULL)
        return;
    struct tally *tally = viewer->tally;
    char *twice = tally->twice;
    tally->twice = NULL;
    if (twice != NULL && count_of(tally, twice) > 1)
        viewers_report(
            state->checker, &property_no_duplicates, viewer, tally->latest, record,
            memory_format("%s once", twice), memory_format("%zu times", count_of(tally, twice)),
            memory_format("For %s %s is there %zu times.", viewer->name, twice, count_of(tally, twice)));
    free(twice);
}

static bool wants(const char *table) {
    return strcmp(table, "entries") == 0 || strcmp(table, "tags") == 0;
}

static void free_tally(void *context) {
    struct tally *tally = context;
    map_free(&tally->ids, free);
    map_free(&tally->rows, NULL);
    free(tally->twice);
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

const struct property property_no_duplicates = {
    .name = "no-duplicates",
    .promise = "diary: no tag is twice on one entry, and no old entry is imported twice",
    .create = create,
    .record = record,
    .destroy = destroy,
};
