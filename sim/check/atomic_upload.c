/* atomic-upload: what an app wrote in one local transaction is committed in one commit, or not at all. The
 * app has put these rows together for a reason; in between others see halves, and a refusal leaves them. */
#include "check/properties.h"
#include "check/upload_log.h"

static void *create(struct checker *checker) {
    return checker;
}

static void destroy(void *self) {
    (void)self; /* the checker's own */
}

static void report(struct checker *checker, const struct uploaded_part *part,
                   const struct history_record *commit) {
    const struct note_row *row = &part->write->note.rows[0];
    const struct violation violation = {
        .property = property_atomic_upload.name,
        .client = part->write->node,
        .table = row->table,
        .row = row->id,
        .expected = memory_format("%zu rows in one commit", part->write->note.n_rows),
        .seen = memory_format("a commit with %zu of them", part->rows),
        .first_record = part->write->number,
        .second_record = commit->number,
        .time = commit->time,
        .explanation = memory_format("Transaction %lld of %s (record %llu) has %zu rows; commit %lld carries "
                                     "%zu of them and not the others.",
                                     (long long)part->write->note.transaction, part->write->node,
                                     (unsigned long long)part->write->number, part->write->note.n_rows,
                                     (long long)commit->note.timestamp, part->rows)};
    checker_report(checker, &violation);
}

static void on_record(void *self, const struct history_record *record) {
    const struct uploaded_part *parts;
    const size_t count = upload_log_parts(checker_uploads(self), &parts);
    for (size_t i = 0; i < count; i++) {
        const struct uploaded_part *part = &parts[i];
        if (part->rows > 0 && part->rows < part->write->note.n_rows && part->earlier == 0) {
            report(self, part, record);
        }
    }
}

const struct property property_atomic_upload = {
    .name = "atomic-upload",
    .promise = "all rows of a local transaction are committed together",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
