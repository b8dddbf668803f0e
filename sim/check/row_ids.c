/* row-ids: every row that an app writes has an id, a text that is not empty. A core refuses a row without
 * one; an empty text it takes, and then all rows without an id are one row. Judged at each local write. */
#include "base/memory.h"
#include "check/properties.h"

static void *create(struct checker *checker) {
    return checker;
}

static void destroy(void *self) {
    (void)self; /* the checker's own */
}

static void on_record(void *self, const struct history_record *record) {
    for (size_t i = 0; record->note.kind == NOTE_LOCAL_WRITE && i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        if (row->id != NULL && row->id[0] != '\0')
            continue;
        const struct violation violation = {
            .property = property_row_ids.name,
            .client = record->node,
            .table = row->table,
            .row = "",
            .expected = memory_copy_text("an id"),
            .seen = memory_copy_text(row->id == NULL ? "none" : "an empty text"),
            .first_record = record->number,
            .time = record->time,
            .explanation = memory_format("Transaction %lld of %s writes a row of %s without an id.",
                                         (long long)record->note.transaction, record->node, row->table)};
        checker_report(self, &violation);
    }
}

const struct property property_row_ids = {
    .name = "row-ids",
    .promise = "every row that an app writes has an id",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
