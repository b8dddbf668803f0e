#include "check/viewers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/local_row.h"

void viewers_begin(struct viewers *viewers, const struct checker *checker) {
    assert(viewers->wants != NULL && viewers->change != NULL);
    viewers->schema = checker_settings(checker)->schema;
    viewers->idle = true;
    for (size_t i = 0; i < viewers->schema->n_tables; i++)
        if (viewers->wants(viewers->schema->tables[i].name))
            viewers->idle = false;
}

static struct viewer *open_viewer(struct viewers *viewers, const char *name, bool is_deployment) {
    struct viewer *viewer = map_get(&viewers->viewers, name);
    if (viewer == NULL) {
        viewer = memory_allocate(sizeof *viewer);
        viewer->name = name;
        viewer->is_deployment = is_deployment;
        viewer->tally = memory_allocate(viewers->tally_size + 1);
        map_set(&viewers->viewers, name, viewer);
    }
    assert(viewer->is_deployment == is_deployment);
    return viewer;
}

static void change_row(struct viewers *viewers, struct viewer *viewer, struct viewer_row *row,
                       const char *text) {
    row->was = row->text != NULL;
    row->text = text;
    struct viewer_values values = viewer_values_parse(row);
    viewers->change(viewers->self, viewer, row, &values);
    viewer_values_free(&values);
}

static void list_row(struct viewers *viewers, struct viewer *viewer, const struct note_row *listed,
                     uint64_t record) {
    buffer_clear(&viewers->key);
    buffer_printf(&viewers->key, "%s %s", listed->table, listed->id);
    struct viewer_row *row = map_get(&viewer->rows, buffer_text(&viewers->key));
    if (row == NULL) {
        row = memory_allocate(sizeof *row);
        row->table = listed->table;
        row->id = listed->id;
        row->shape = viewer->is_deployment ? NULL : local_row_table(viewers->schema, listed->table);
        map_set(&viewer->rows, buffer_text(&viewers->key), row);
    }
    row->listed = record;
    const bool same = row->text == listed->values ||
                      (row->text != NULL && listed->values != NULL && !strcmp(row->text, listed->values));
    if (!same)
        change_row(viewers, viewer, row, listed->values);
}

/* After a restart all rows are listed: what is not is gone. */
static void end_unlisted(struct viewers *viewers, struct viewer *viewer, uint64_t record) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&viewer->rows, &i)) != NULL;) {
        struct viewer_row *row = entry->value;
        if (row->text != NULL && row->listed != record)
            change_row(viewers, viewer, row, NULL);
    }
}

struct viewer *viewers_record(struct viewers *viewers, const struct history_record *record) {
    const struct note *note = &record->note;
    struct viewer *viewer = NULL;
    if (viewers->idle || (note->kind != NOTE_VIEW && note->kind != NOTE_COMMIT))
        return NULL;
    const bool restart = note->kind == NOTE_VIEW && note->text != NULL && !strcmp(note->text, "restart");
    if (restart)
        viewer = open_viewer(viewers, record->node, false);
    for (size_t i = 0; i < note->n_rows; i++) {
        if (!viewers->wants(note->rows[i].table))
            continue;
        viewer = open_viewer(viewers, record->node, note->kind == NOTE_COMMIT);
        list_row(viewers, viewer, &note->rows[i], record->number);
    }
    if (restart)
        end_unlisted(viewers, viewer, record->number);
    return viewer;
}

void viewers_free(struct viewers *viewers) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&viewers->viewers, &i)) != NULL;) {
        struct viewer *viewer = entry->value;
        map_free(&viewer->rows, free);
        if (viewers->free_tally != NULL)
            viewers->free_tally(viewer->tally);
        free(viewer->tally);
    }
    map_free(&viewers->viewers, free);
    buffer_free(&viewers->key);
}

/* --- values --- */

struct viewer_values viewer_values_parse(const struct viewer_row *row) {
    return (struct viewer_values){.json = row->text == NULL ? NULL
                                                            : json_parse(row->text, strlen(row->text), NULL),
                                  .shape = row->shape};
}

void viewer_values_free(struct viewer_values *values) {
    json_decref(values->json);
    values->json = NULL;
}

static const json_t *value_of(const struct viewer_values *values, const char *column) {
    if (values->shape == NULL)
        return json_object_get(values->json, column);
    for (size_t i = 0; i < values->shape->n_columns; i++)
        if (strcmp(values->shape->columns[i].name, column) == 0)
            return json_array_get(values->json, i);
    return NULL;
}

const char *viewer_text(const struct viewer_values *values, const char *column) {
    return json_string_value(value_of(values, column));
}

bool viewer_has_number(const struct viewer_values *values, const char *column) {
    return json_is_number(value_of(values, column));
}

int64_t viewer_whole(const struct viewer_values *values, const char *column) {
    const json_t *value = value_of(values, column);
    return json_is_integer(value) ? json_integer_value(value) : (int64_t)json_real_value(value);
}

void viewers_report(struct checker *checker, const struct property *property, const struct viewer *viewer,
                    const struct viewer_row *row, const struct history_record *record, char *expected,
                    char *seen, char *explanation) {
    const struct violation violation = {.property = property->name,
                                        .client = viewer->name,
                                        .table = row == NULL ? "" : row->table,
                                        .row = row == NULL ? "" : row->id,
                                        .expected = expected,
                                        .seen = seen,
                                        .second_record = record->number,
                                        .time = record->time,
                                        .explanation = explanation};
    checker_report(checker, &violation);
}
