/* values-exact: in the app values, who looks sees the value that the row's writer asked for, whatever type
 * the field had before. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/properties.h"
#include "check/viewers.h"

struct state {
    struct checker *checker;
    struct viewers viewers;
    const struct history_record *record; /* that is being told of */
};

static char *quoted(const char *text) {
    return text == NULL ? memory_copy_text("null") : memory_format("\"%s\"", text);
}

/* "=x" states x; null states null. Documents are the deployment's own business: what they become is judged on
 * devices. */
static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    const struct state *state = self;
    if (row->text == NULL || viewer->is_deployment)
        return;
    const char *stated = viewer_text(values, "stated"), *seen = viewer_text(values, "value");
    const char *expected = stated != NULL && *stated == '=' ? stated + 1 : NULL;
    if ((expected == NULL) == (seen == NULL) && (seen == NULL || strcmp(seen, expected) == 0))
        return;
    const char *name = viewer_text(values, "specimen");
    viewers_report(state->checker, &property_values_exact, viewer, row, state->record, quoted(expected),
                   quoted(seen),
                   memory_format("%s shows another value than the row's writer asked for (%s).", viewer->name,
                                 name == NULL ? "no name" : name));
}

static void record(void *self, const struct history_record *record) {
    struct state *state = self;
    state->record = record;
    viewers_record(&state->viewers, record);
}

static bool wants(const char *table) {
    return strcmp(table, "specimens") == 0;
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

const struct property property_values_exact = {
    .name = "values-exact",
    .promise = "devices show each value of the app values as the service's rules say",
    .create = create,
    .record = record,
    .destroy = destroy,
};
