/* intact-rows: in the app wide every row has the length and the hash that it says it has, whoever looks. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/viewers.h"

struct state {
    struct checker *checker;
    struct viewers viewers;
    const struct history_record *record; /* that is being told of */
};

static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    const struct state *state = self;
    if (row->text == NULL)
        return;
    char digest[33];
    const char *body = viewer_text(values, "body"), *stated = viewer_text(values, "digest");
    const size_t length = body == NULL ? 0 : strlen(body);
    const int64_t stated_length = viewer_whole(values, "length");
    hash128_text(hash128_of(body == NULL ? "" : body, length), digest);
    if (stated != NULL && strcmp(stated, digest) == 0 && (int64_t)length == stated_length)
        return;
    viewers_report(
        state->checker, &property_intact_rows, viewer, row, state->record,
        memory_format("%lld bytes, hash %s", (long long)stated_length, stated == NULL ? "missing" : stated),
        memory_format("%zu bytes, hash %s", length, digest),
        memory_format("The row's body is not what its writer put there, as %s has it.", viewer->name));
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    state->record = record;
    viewers_record(&state->viewers, record);
}

static bool wants(const char *table) {
    return strncmp(table, "wide_", 5) == 0;
}

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    state->viewers = (struct viewers){.self = state, .wants = wants, .change = change};
    viewers_begin(&state->viewers, checker);
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    viewers_free(&state->viewers);
    free(state);
}

const struct property property_intact_rows = {
    .name = "intact-rows",
    .promise = "rows of the app wide arrive whole: length and hash are what their writer stated",
    .create = create,
    .record = record,
    .destroy = destroy,
};
