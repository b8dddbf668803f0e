/* no-lost-write: at the end of a run every local transaction is in exactly one place: committed once (its
 * receipt says so), refused and reported to the app, or still in the upload queue. An upload that was
 * answered is gone from the queue, so an accepted transaction without a commit is lost; one with two commits
 * had its effect twice. */
#include <assert.h>
#include <string.h>

#include "check/properties.h"
#include "check/view_property.h"

struct fault {
    const struct view_model *model;
    const struct local_transaction *transaction;
    const char *expected;
    const char *seen;
    uint64_t first_record;
    uint64_t second_record;
};

static void report(struct checker *checker, const struct fault *fault) {
    const struct history_record *write = fault->transaction->record;
    const struct note_row *row = write->note.n_rows > 0 ? &write->note.rows[0] : NULL;
    const struct violation violation = {
        .property = property_no_lost_write.name,
        .client = fault->model->client,
        .table = row == NULL ? "" : row->table,
        .row = row == NULL ? "" : row->id,
        .expected = memory_copy_text(fault->expected),
        .seen = memory_copy_text(fault->seen),
        .first_record = fault->first_record,
        .second_record = fault->second_record,
        .time = write->time,
        .explanation = memory_format("Transaction %lld of %s (record %llu, %zu row%s): %s.",
                                     (long long)fault->transaction->number, fault->model->client,
                                     (unsigned long long)write->number, write->note.n_rows,
                                     write->note.n_rows == 1 ? "" : "s", fault->seen),
    };
    checker_report(checker, &violation);
}

static bool same_operation(const struct note_row *a, const struct note_row *b) {
    return strcmp(a->operation == NULL ? "" : a->operation, b->operation == NULL ? "" : b->operation) == 0 &&
           strcmp(a->table, b->table) == 0 && strcmp(a->id, b->id) == 0;
}

/* Are the transaction's operations the next ones of the queue? Then go behind them. */
static bool take_from_queue(const struct note *queue, size_t *next, const struct note *write) {
    if (queue->n_rows - *next < write->n_rows)
        return false;
    for (size_t i = 0; i < write->n_rows; i++) {
        if (!same_operation(&queue->rows[*next + i], &write->rows[i]))
            return false;
    }
    *next += write->n_rows;
    return true;
}

static uint64_t commit_record(struct checker *checker, size_t commit) {
    return oracle_commit(checker_oracle(checker), commit)->record;
}

static void judge_answered(struct checker *checker, const struct view_model *model,
                           const struct local_transaction *transaction) {
    struct fault fault = {.model = model, .transaction = transaction, .second_record = transaction->answer};
    if (transaction->state == TRANSACTION_ACKNOWLEDGED && transaction->commits == 0) {
        fault.expected = "committed once";
        fault.seen = "accepted by the backend, but in no commit";
        fault.first_record = transaction->record->number;
        report(checker, &fault);
    } else if (transaction->state == TRANSACTION_REJECTED && transaction->commits > 0) {
        fault.expected = "refused, and in no commit";
        fault.seen = "refused by the backend, but committed";
        fault.first_record = commit_record(checker, transaction->commit);
        report(checker, &fault);
    }
}

static void judge_twice(struct checker *checker, const struct view_model *model,
                        const struct local_transaction *transaction) {
    if (transaction->commits < 2)
        return;
    const struct fault fault = {.model = model,
                                .transaction = transaction,
                                .expected = "committed once",
                                .seen = "committed more than once",
                                .first_record = commit_record(checker, transaction->commit),
                                .second_record = commit_record(checker, transaction->latest_commit)};
    report(checker, &fault);
}

static void judge_client(struct checker *checker, const struct view_model *model) {
    size_t next = 0;
    for (size_t i = 0; i < model->n_transactions; i++) {
        const struct local_transaction *transaction = &model->transactions[i];
        judge_twice(checker, model, transaction);
        judge_answered(checker, model, transaction);
        if (transaction->state != TRANSACTION_QUEUED || model->queue == NULL)
            continue;
        if (take_from_queue(&model->queue->note, &next, &transaction->record->note) ||
            transaction->commits > 0)
            continue;
        const struct fault fault = {.model = model,
                                    .transaction = transaction,
                                    .expected = "committed once, refused, or still queued",
                                    .seen = "neither committed nor refused nor queued",
                                    .first_record = transaction->record->number,
                                    .second_record = model->queue->number};
        report(checker, &fault);
    }
    assert(model->queue == NULL || next <= model->queue->note.n_rows);
}

static void finish(void *self) {
    const struct view_models *models = checker_views(self);
    for (size_t i = 0; i < view_models_count(models); i++)
        judge_client(self, view_models_get(models, i));
}

const struct property property_no_lost_write = {
    .name = "no-lost-write",
    .promise =
        "every local write ends in exactly one of: committed once, rejected and reported, still queued",
    .create = view_property_create,
    .finish = finish,
    .destroy = view_property_destroy,
};
