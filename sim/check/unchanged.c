#include "check/unchanged.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "check/local_row.h"
#include "check/row_set.h"

enum { COLUMNS_MOST = 64 };

struct place {
    uint64_t record, row;
};

static bool same_value(const json_t *shown, const json_t *written) {
    if (json_is_number(shown) && json_is_number(written)) {
        const double difference = json_number_value(shown) - json_number_value(written);
        return !(difference < 0) && !(difference > 0);
    }
    return shown != NULL && written != NULL && json_equal(shown, written);
}

static const json_t *shown_value(const struct client_table *table, const json_t *shown, const char *column) {
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, column) == 0)
            return json_array_get(shown, i);
    return NULL;
}

/* `as_shown`: the table in the app's version on the device. */
static uint64_t compare(const struct client_table *table, const struct client_table *as_shown,
                        const char *shown_text, const char *written_text) {
    json_t *shown = json_parse(shown_text, strlen(shown_text), NULL);
    json_t *written = json_parse(written_text, strlen(written_text), NULL);
    uint64_t bits = 0;
    for (size_t i = 0; i < table->n_columns && i < COLUMNS_MOST; i++)
        if (same_value(shown_value(as_shown, shown, table->columns[i].name),
                       json_object_get(written, table->columns[i].name)))
            bits |= (uint64_t)1 << i;
    json_decref(written);
    json_decref(shown);
    return bits;
}

void unchanged_record(struct unchanged *unchanged, const struct view_model *model,
                      const struct client_schema *schema, const struct history_record *write) {
    for (size_t i = 0; i < write->note.n_rows; i++) {
        const struct note_row *row = &write->note.rows[i];
        const struct client_table *table = local_row_table(schema, row->table);
        const struct client_table *as_shown = local_row_table(model->schema, row->table);
        const char *shown = view_model_text(model, row->table, row->id);
        if (table == NULL || as_shown == NULL || shown == NULL || row->values == NULL ||
            strcmp(row->operation, "PATCH") != 0)
            continue;
        const struct place place = {write->number, i};
        uint64_t *bits = memory_allocate(sizeof *bits);
        *bits = compare(table, as_shown, shown, row->values);
        if (*bits != 0)
            bits = map_set_bytes(&unchanged->columns, &place, sizeof place, bits);
        free(bits);
    }
}

bool unchanged_has(const struct unchanged *unchanged, const struct history_record *write, size_t row,
                   size_t column) {
    const struct place place = {write->number, row};
    const uint64_t *bits = map_get_bytes(&unchanged->columns, &place, sizeof place);
    return bits != NULL && column < COLUMNS_MOST && (*bits >> column & 1) != 0;
}

void unchanged_free(struct unchanged *unchanged) {
    map_free(&unchanged->columns, free);
}
