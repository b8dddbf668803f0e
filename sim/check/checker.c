#include "check/check.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "check/oracle.h"
#include "check/stream_log.h"
#include "check/upload_log.h"
#include "check/view_model.h"

enum { MAX_KEPT = 16 }; /* violations of one property; more of the same would not help anybody */

struct active_property {
    const struct property *property;
    void *self;
    size_t reported;
};

struct checker {
    struct check_settings settings; /* pointers borrowed */
    struct history *history;
    struct oracle *oracle;
    struct view_models *views;
    struct upload_log *uploads;
    struct stream_log *streams;
    struct active_property *active;
    size_t n_active;
    const struct violation **violations; /* owned, with their texts */
    size_t n_violations;
    size_t capacity;
};

/* --- from the history and the wire --- */

static void on_record(void *context, const struct history_record *record) {
    struct checker *checker = context;
    assert(record->number == history_length(checker->history));
    oracle_record(checker->oracle, record);
    view_models_record(checker->views, record);
    upload_log_record(checker->uploads, record);
    stream_log_record(checker->streams, record);
    for (size_t i = 0; i < checker->n_active; i++) {
        const struct active_property *active = &checker->active[i];
        if (active->property->record != NULL)
            active->property->record(active->self, record);
    }
}

static void on_wire(void *context, int64_t now, const struct wire_event *event) {
    const struct checker *checker = context;
    for (size_t i = 0; i < checker->n_active; i++) {
        const struct active_property *active = &checker->active[i];
        if (active->property->wire != NULL)
            active->property->wire(active->self, now, event);
    }
}

void checker_finish(struct checker *checker) {
    for (size_t i = 0; i < checker->n_active; i++) {
        const struct active_property *active = &checker->active[i];
        if (active->property->finish != NULL)
            active->property->finish(active->self);
    }
}

/* --- reports --- */

static struct active_property *find_active(struct checker *checker, const char *name) {
    for (size_t i = 0; i < checker->n_active; i++) {
        if (strcmp(checker->active[i].property->name, name) == 0)
            return &checker->active[i];
    }
    return NULL;
}

static void free_texts(struct violation *violation) {
    free(violation->expected);
    free(violation->seen);
    free(violation->explanation);
}

/* Names may live shorter than the report, so they are copied behind it. */
static const char *copy_name(const char *name) {
    return memory_copy_text(name == NULL ? "" : name);
}

static char *text_or_empty(char *text) {
    return text == NULL ? memory_copy_text("") : text;
}

static void free_violation(const struct violation *violation) {
    struct violation *owned = (struct violation *)(uintptr_t)violation;
    free_texts(owned);
    free((char *)(uintptr_t)owned->client);
    free((char *)(uintptr_t)owned->table);
    free((char *)(uintptr_t)owned->row);
    free(owned);
}

void checker_report(struct checker *checker, const struct violation *violation) {
    struct active_property *active = find_active(checker, violation->property);
    assert(active != NULL);
    struct violation *copy = memory_allocate(sizeof *copy);
    *copy = *violation;
    if (active->reported++ >= MAX_KEPT) {
        free_texts(copy);
        free(copy);
        return;
    }
    copy->property = active->property->name;
    copy->client = copy_name(violation->client);
    copy->table = copy_name(violation->table);
    copy->row = copy_name(violation->row);
    copy->expected = text_or_empty(copy->expected);
    copy->seen = text_or_empty(copy->seen);
    copy->explanation = text_or_empty(copy->explanation);
    assert(active->reported <= MAX_KEPT);
    MEMORY_RESERVE(checker->violations, checker->capacity, checker->n_violations + 1);
    checker->violations[checker->n_violations++] = copy;
}

size_t checker_violations(const struct checker *checker, const struct violation *const **violations) {
    *violations = checker->violations;
    return checker->n_violations;
}

uint64_t checker_judged(const struct checker *checker) {
    return view_models_judged(checker->views);
}

const struct check_settings *checker_settings(const struct checker *checker) {
    return &checker->settings;
}

struct history *checker_history(struct checker *checker) {
    return checker->history;
}

struct oracle *checker_oracle(struct checker *checker) {
    return checker->oracle;
}

struct view_models *checker_views(struct checker *checker) {
    return checker->views;
}

struct stream_log *checker_streams(struct checker *checker) {
    return checker->streams;
}

struct upload_log *checker_uploads(struct checker *checker) {
    return checker->uploads;
}

/* --- life --- */

static bool is_wanted(const struct check_settings *settings, const char *name) {
    for (size_t i = 0; settings->properties != NULL && i < settings->n_properties; i++) {
        if (strcmp(settings->properties[i], name) == 0)
            return true;
    }
    return settings->properties == NULL;
}

static enum status check_names(const struct check_settings *settings, struct error *error) {
    for (size_t i = 0; settings->properties != NULL && i < settings->n_properties; i++) {
        if (check_property_find(settings->properties[i]) == NULL)
            return error_set(error, STATUS_NOT_FOUND, "there is no property `%s`", settings->properties[i]);
    }
    return STATUS_OK;
}

static void start_properties(struct checker *checker) {
    size_t count = 0;
    while (check_properties[count] != NULL)
        count++;
    checker->active = memory_allocate_array(count, sizeof *checker->active);
    for (size_t i = 0; i < count; i++) {
        if (!is_wanted(&checker->settings, check_properties[i]->name))
            continue;
        struct active_property *active = &checker->active[checker->n_active++];
        active->property = check_properties[i];
        active->self = check_properties[i]->create(checker);
    }
}

enum status checker_create(struct history *history, struct world *world,
                           const struct check_settings *settings, struct checker **out, struct error *error) {
    struct oracle *oracle = NULL;
    enum status status = check_names(settings, error);
    if (status == STATUS_OK)
        status = oracle_create(settings->sync_config, settings->schema, settings->users, settings->requests,
                               settings->n_subjects > 0 ? settings->n_subjects : settings->n_clients, &oracle,
                               error);
    if (status != STATUS_OK)
        return status;
    struct checker *checker = memory_allocate(sizeof *checker);
    checker->settings = *settings;
    checker->history = history;
    checker->oracle = oracle;
    checker->views = view_models_create(oracle, settings);
    checker->uploads = upload_log_create(&checker->settings, checker->views);
    checker->streams = stream_log_create(&checker->settings);
    start_properties(checker);
    history_subscribe(history, on_record, checker);
    if (world != NULL) { /* a recorded history has none */
        const struct world_observer observer = {.wire = on_wire, .context = checker};
        world_observe(world, &observer);
    }
    *out = checker;
    return STATUS_OK;
}

void checker_destroy(struct checker *checker) {
    if (checker == NULL)
        return;
    for (size_t i = 0; i < checker->n_active; i++)
        checker->active[i].property->destroy(checker->active[i].self);
    for (size_t i = 0; i < checker->n_violations; i++)
        free_violation(checker->violations[i]);
    free(checker->violations);
    free(checker->active);
    view_models_destroy(checker->views);
    upload_log_destroy(checker->uploads);
    stream_log_destroy(checker->streams);
    oracle_destroy(checker->oracle);
    free(checker);
}
