/* local-first: what an app writes shows at once on its own device, whether there is a network or not. Broken
 * when a record comes later than SHOWN_WITHIN after a local write whose rows its device does not show yet. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/view_model.h"
#include "kernel/time.h"

#define SHOWN_WITHIN (100 * TIME_MILLISECOND) /* apps hear of changes at most every 30 ms */

struct screen {
    const struct view_model *model;
    const struct history_record *waits; /* the oldest local write that does not show; NULL: none */
};

struct screens {
    struct checker *checker;
    struct map by_node; /* node -> struct screen */
    size_t n_waiting;
};

static const struct view_expectation *hidden_row(const struct view_model *model) {
    for (size_t i = 0; i < model->n_expectations; i++) {
        const struct view_expectation *expectation = &model->expectations[i];
        const char *expected = expectation->text, *seen = model->rows.rows[expectation->row].text;
        if ((expected == NULL) != (seen == NULL) || (expected != NULL && strcmp(expected, seen) != 0))
            return expectation;
    }
    return NULL;
}

static void report(const struct screens *screens, const struct screen *screen, int64_t now) {
    const struct view_expectation *hidden = hidden_row(screen->model);
    if (hidden == NULL) /* a restart or a clear has come between */
        return;
    const struct view_row *row = &screen->model->rows.rows[hidden->row];
    const struct violation violation = {
        .property = property_local_first.name,
        .client = screen->model->client,
        .table = row->table,
        .row = row->id,
        .expected = memory_copy_text(hidden->text == NULL ? "no row" : hidden->text),
        .seen = memory_copy_text(row->text == NULL ? "no row" : row->text),
        .first_record = screen->waits->number,
        .time = now,
        .explanation = memory_format("%s does not show what its app wrote (transaction %lld), as if it "
                                     "waited for somebody.",
                                     screen->model->client, (long long)screen->waits->note.transaction)};
    checker_report(screens->checker, &violation);
}

static void set_waiting(struct screens *screens, struct screen *screen, const struct history_record *waits) {
    screens->n_waiting += waits != NULL && screen->waits == NULL;
    screens->n_waiting -= waits == NULL && screen->waits != NULL;
    screen->waits = waits;
}

static void look_for_late(struct screens *screens, int64_t now) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&screens->by_node, &i)) != NULL;) {
        struct screen *screen = entry->value;
        if (screen->waits == NULL || now - screen->waits->time <= SHOWN_WITHIN)
            continue;
        report(screens, screen, now);
        set_waiting(screens, screen, NULL);
    }
}

static void record(void *self, const struct history_record *record) {
    struct screens *screens = self;
    struct screen *screen = map_get(&screens->by_node, record->node);
    if (screen != NULL && record->note.kind == NOTE_LOCAL_WRITE && screen->waits == NULL &&
        hidden_row(screen->model) != NULL)
        set_waiting(screens, screen, record);
    else if (screen != NULL && screen->waits != NULL && hidden_row(screen->model) == NULL)
        set_waiting(screens, screen, NULL);
    if (screens->n_waiting > 0)
        look_for_late(screens, record->time);
}

static void finish(void *self) {
    look_for_late(self, INT64_MAX);
}

static void *create(struct checker *checker) {
    struct screens *screens = memory_allocate(sizeof *screens);
    const struct view_models *views = checker_views(checker);
    screens->checker = checker;
    for (size_t i = 0; i < view_models_count(views); i++) {
        struct screen *screen = memory_allocate(sizeof *screen);
        screen->model = view_models_get(views, i);
        map_set(&screens->by_node, screen->model->client, screen);
    }
    return screens;
}

static void destroy(void *self) {
    struct screens *screens = self;
    map_free(&screens->by_node, free);
    free(screens);
}

const struct property property_local_first = {
    .name = "local-first",
    .promise = "what an app writes shows at once on its own device, network or not",
    .create = create,
    .record = record,
    .finish = finish,
    .destroy = destroy,
};
