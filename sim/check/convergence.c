/* convergence: once the world has healed and is quiet, every client shows its streams at the newest commit
 * and has nothing left to upload or to wait for. */
#include "check/properties.h"
#include "check/view_difference.h"
#include "check/view_property.h"

/* The commit that last wrote the row, or the newest one when no commit ever did. */
static uint64_t writing_record(const struct oracle *oracle, const struct view_model *model, const char *table,
                               const char *id) {
    const struct oracle_row *row = oracle_user_row(model->user, table, id);
    return oracle_commit(oracle, row == NULL ? oracle_newest(oracle) : (size_t)row->touched)->record;
}

static void report_rows(struct checker *checker, const struct view_model *model,
                        const struct view_difference *difference) {
    const struct violation violation = {
        .property = property_convergence.name,
        .client = model->client,
        .table = difference->table,
        .row = difference->row,
        .expected = memory_copy_text(difference->expected == NULL ? "no row" : difference->expected),
        .seen = memory_copy_text(difference->seen == NULL ? "no row" : difference->seen),
        .first_record = writing_record(checker_oracle(checker), model, difference->table, difference->row),
        .second_record = model->last_view == NULL ? 0 : model->last_view->number,
        .time = model->last_view == NULL ? 0 : model->last_view->time,
        .explanation = memory_format("At the end %zu row%s of %s differ%s from the newest commit.",
                                     difference->count, difference->count == 1 ? "" : "s", model->client,
                                     difference->count == 1 ? "s" : ""),
    };
    checker_report(checker, &violation);
}

static size_t queued_transactions(const struct view_model *model) {
    if (model->queue != NULL)
        return model->queue->note.transaction < 0 ? 0 : (size_t)model->queue->note.transaction;
    size_t count = 0;
    for (size_t i = model->first_open; i < model->n_transactions; i++)
        count += model->transactions[i].state == TRANSACTION_QUEUED;
    return count;
}

static void report_queue(struct checker *checker, const struct view_model *model, size_t queued) {
    const struct local_transaction *oldest =
        model->first_open < model->n_transactions ? &model->transactions[model->first_open] : NULL;
    const struct note_row *row =
        oldest != NULL && oldest->record->note.n_rows > 0 ? &oldest->record->note.rows[0] : NULL;
    const struct violation violation = {
        .property = property_convergence.name,
        .client = model->client,
        .table = row == NULL ? "" : row->table,
        .row = row == NULL ? "" : row->id,
        .expected = memory_copy_text("an empty upload queue"),
        .seen = memory_format("%zu queued transaction%s", queued, queued == 1 ? "" : "s"),
        .first_record = oldest == NULL ? 0 : oldest->record->number,
        .second_record = model->queue == NULL ? 0 : model->queue->number,
        .time = model->queue == NULL ? 0 : model->queue->time,
        .explanation = memory_format("At the end %s still has local writes to upload.", model->client),
    };
    checker_report(checker, &violation);
}

static void report_waiting(struct checker *checker, const struct view_model *model) {
    const struct local_transaction *newest =
        model->n_transactions > 0 ? &model->transactions[model->n_transactions - 1] : NULL;
    const struct violation violation = {
        .property = property_convergence.name,
        .client = model->client,
        .table = "",
        .row = "",
        .expected = memory_copy_text("nothing left to wait for"),
        .seen = memory_copy_text("waits for the write checkpoint of its last upload"),
        .first_record = newest == NULL ? 0 : newest->record->number,
        .second_record = model->queue->number,
        .time = model->queue->time,
        .explanation = memory_format("At the end %s would show nothing that others write.", model->client),
    };
    checker_report(checker, &violation);
}

static void judge_client(struct checker *checker, const struct view_model *model) {
    struct view_difference difference;
    const size_t queued = queued_transactions(model);
    if (!hash128_equal(model->set, oracle_user_set(model->user))) {
        view_difference_find(model, model->schema, oracle_newest(checker_oracle(checker)), &difference);
        if (difference.count > 0) { /* else the queued writes are all that differs */
            report_rows(checker, model, &difference);
            return;
        }
    }
    if (queued > 0)
        report_queue(checker, model, queued);
    else if (model->queue != NULL && model->queue->note.text != NULL)
        report_waiting(checker, model);
}

static void finish(void *self) {
    const struct view_models *models = checker_views(self);
    for (size_t i = 0; i < view_models_count(models); i++)
        judge_client(self, view_models_get(models, i));
}

const struct property property_convergence = {
    .name = "convergence",
    .promise = "after healing and quiet every client equals its streams at the newest commit, "
               "queues are empty and nobody waits",
    .create = view_property_create,
    .finish = finish,
    .destroy = view_property_destroy,
};
