/* values-exact: in the app values, who looks sees the value that the row's writer asked for, whatever type
 * the field had before. */
#include <stdlib.h>
#include <string.h>

#include "app/values.h"
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

/* Documents are the deployment's own business; what they become is judged on devices. */
static void change(void *self, struct viewer *viewer, struct viewer_row *row,
                   const struct viewer_values *values) {
    const struct state *state = self;
    if (row->text == NULL || viewer->is_deployment)
        return;
    const char *name = viewer_text(values, "specimen"), *seen = viewer_text(values, "value");
    const struct app_specimen *specimen = name == NULL ? NULL : app_specimen_find(name);
    if (specimen != NULL && (specimen->shown == NULL) == (seen == NULL) &&
        (seen == NULL || strcmp(seen, specimen->shown) == 0))
        return;
    viewers_report(state->checker, &property_values_exact, viewer, row, state->record,
                   specimen == NULL ? memory_copy_text("a specimen that there is") : quoted(specimen->shown),
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
    state->viewers = (struct viewers){
        .self = state, .schema = checker_settings(checker)->schema, .wants = wants, .change = change};
    viewers_begin(&state->viewers);
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
