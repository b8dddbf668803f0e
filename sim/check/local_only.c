/* local-only: what an app keeps in local-only tables is its own. It is never queued for upload, no sync
 * changes it, and it stays when the app clears its database unless the app clears these tables too. Which
 * tables these are is what the app's version on the device says. */
#include <string.h>

#include "base/map.h"
#include "check/local_row.h"
#include "check/properties.h"
#include "check/row_set.h"

struct device {
    const struct client_schema *schema;
    struct map rows; /* row_set_key -> text, of a history record */
};

struct state {
    struct checker *checker;
    struct map devices; /* node -> struct device */
    struct buffer key;
};

static void free_device(void *value) {
    struct device *device = value;
    map_free(&device->rows, NULL);
    free(device);
}

static void *create(struct checker *checker) {
    const struct check_settings *settings = checker_settings(checker);
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    for (size_t i = 0; i < settings->n_clients; i++) {
        struct device *device = memory_allocate(sizeof *device);
        device->schema =
            settings->begins != NULL && settings->begins[i] != NULL ? settings->begins[i] : settings->schema;
        map_set(&state->devices, settings->clients[i], device);
    }
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->devices, free_device);
    buffer_free(&state->key);
    free(state);
}

static bool is_local(const struct client_schema *schema, const char *table) {
    const struct client_table *found = local_row_table(schema, table);
    return found != NULL && found->local_only;
}

static void report(struct state *state, const struct history_record *record, const struct note_row *row,
                   const char *expected, const char *seen, const char *why) {
    const struct violation violation = {.property = property_local_only.name,
                                        .client = record->node,
                                        .table = row->table,
                                        .row = row->id,
                                        .expected = memory_copy_text(expected),
                                        .seen = memory_copy_text(seen == NULL ? "no row" : seen),
                                        .first_record = record->number,
                                        .time = record->time,
                                        .explanation = memory_format("%s, on %s.", why, record->node)};
    checker_report(state->checker, &violation);
}

/* Mutants and bad apps make a table synced that the app means to be local-only. */
static void judge_write(struct state *state, const struct device *device,
                        const struct history_record *record) {
    for (size_t i = 0; i < record->note.n_rows && record->note.transaction > 0; i++)
        if (is_local(device->schema, record->note.rows[i].table))
            report(state, record, &record->note.rows[i], "nothing in the upload queue", "an entry",
                   "A write to a local-only table is queued for upload");
}

static void take_view(struct state *state, struct device *device, const struct history_record *record,
                      bool is_sync) {
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        if (!is_local(device->schema, row->table))
            continue;
        row_set_key(&state->key, row->table, row->id);
        if (is_sync)
            report(state, record, row, map_get_bytes(&device->rows, state->key.data, state->key.length),
                   row->values, "A checkpoint has changed a row of a local-only table");
        if (row->values != NULL)
            map_set_bytes(&device->rows, state->key.data, state->key.length, (char *)(uintptr_t)row->values);
        else
            map_remove_bytes(&device->rows, state->key.data, state->key.length);
    }
}

/* All rows are listed. Those of tables that are local-only as before must be what they were, or, where the
 * app asked for that, gone. */
static void replace_view(struct state *state, struct device *device, const struct history_record *record,
                         const struct client_schema *schema, bool gone) {
    struct map before = device->rows;
    const struct client_schema *old = device->schema;
    const struct map_entry *entry;
    device->rows = (struct map){0};
    device->schema = schema;
    take_view(state, device, record, false);
    for (size_t i = 0; (entry = map_next(&before, &i)) != NULL;) {
        const struct note_row row = {.table = entry->key, .id = entry->key + strlen(entry->key) + 1};
        const char *now = map_get_bytes(&device->rows, entry->key, entry->key_length);
        if (!is_local(old, row.table) || !is_local(schema, row.table))
            continue;
        if (gone && now != NULL)
            report(state, record, &row, "no row", now, "A local-only table was to be cleared, and was not");
        else if (!gone && (now == NULL || strcmp(now, entry->value) != 0))
            report(state, record, &row, entry->value, now, "A row of a local-only table was not kept");
    }
    map_free(&before, NULL);
}

static const struct client_schema *version_of(const struct state *state, int64_t version) {
    const struct check_settings *settings = checker_settings(state->checker);
    for (size_t i = 0; i < settings->n_versions; i++)
        if (settings->versions[i]->version == version)
            return settings->versions[i];
    return settings->schema;
}

static void record_view(struct state *state, struct device *device, const struct history_record *record) {
    const struct note *note = &record->note;
    const char *cause = note->text == NULL ? "" : note->text;
    if (strcmp(cause, "restart") == 0) /* what disks may lose is the business of `durability` */
        map_clear(&device->rows, NULL);
    if (strcmp(cause, "clear") == 0)
        replace_view(state, device, record, device->schema, note->timestamp == 0);
    else if (strcmp(cause, "schema") == 0)
        replace_view(state, device, record, version_of(state, note->transaction), false);
    else
        take_view(state, device, record, strcmp(cause, "checkpoint") == 0 || strcmp(cause, "partial") == 0);
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    struct device *device = map_get(&state->devices, record->node);
    if (device == NULL)
        return;
    if (record->note.kind == NOTE_LOCAL_WRITE)
        judge_write(state, device, record);
    else if (record->note.kind == NOTE_VIEW)
        record_view(state, device, record);
}

const struct property property_local_only = {
    .name = "local-only",
    .promise = "rows of local-only tables are never uploaded, changed by sync, or lost without being asked",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
