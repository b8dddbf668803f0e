#include "check/view_judge.h"

#include <assert.h>
#include <string.h>

#include "check/partial_view.h"
#include "check/row_set.h"
#include "check/view_difference.h"

static const struct hash128 no_rows = {0, 0};

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void begin(struct view_finding *finding, enum view_promise promise, const struct view_model *model,
                  const struct history_record *record) {
    *finding = (struct view_finding){.promise = promise,
                                     .model = model,
                                     .table = "",
                                     .row = "",
                                     .first_record = model->last_view == NULL ? 0 : model->last_view->number,
                                     .second_record = record->number,
                                     .time = record->time};
}

static void set_row(struct view_finding *finding, const char *table, const char *row, const char *expected,
                    const char *seen) {
    assert(table != NULL && row != NULL && finding->expected == NULL);
    finding->table = table;
    finding->row = row;
    finding->expected = memory_copy_text(expected);
    finding->seen = memory_copy_text(seen);
}

static void append_commit(struct buffer *out, const struct oracle *oracle, size_t number) {
    const struct oracle_commit *commit = oracle_commit(oracle, number);
    if (number == 0) {
        buffer_append_text(out, "the state before the first commit");
        return;
    }
    buffer_printf(out, "commit %lld", (long long)commit->timestamp);
    if (commit->text != NULL)
        buffer_printf(out, " (%s)", commit->text);
}

/* --- going back --- */

/* The newest change up to where the client stood that it does not show any more. */
static void find_lost_change(const struct view_model *model, size_t commit, struct view_finding *finding) {
    const size_t oldest = oracle_user_version(model->user, commit);
    assert(commit < model->stands_at);
    for (size_t i = oracle_user_version(model->user, model->stands_at); i > oldest; i--) {
        const struct oracle_version *version = &model->user->versions[i];
        for (size_t j = 0; j < version->n_changes && finding->table[0] == '\0'; j++) {
            const struct oracle_row *row = version->changes[j].row;
            const char *seen = view_model_text(model, row->table, row->id);
            if (!same_text(version->changes[j].after, seen))
                set_row(finding, row->table, row->id, version->changes[j].after, seen);
        }
    }
}

static void find_going_back(const struct oracle *oracle, const struct view_model *model, size_t commit,
                            const struct history_record *record, struct view_finding *finding) {
    struct buffer text = {0};
    begin(finding, VIEW_MONOTONIC, model, record);
    finding->first_record = model->stands_record;
    find_lost_change(model, commit, finding);
    buffer_printf(&text, "%s had shown ", model->client);
    append_commit(&text, oracle, model->stands_at);
    buffer_printf(&text, " (record %llu) and now shows ", (unsigned long long)model->stands_record);
    append_commit(&text, oracle, commit);
    buffer_append_text(&text, ", which is older.");
    finding->explanation = buffer_take(&text);
}

/* --- own writes --- */

/* A row of the transaction that does not show what the transaction's commit made of it. */
static void find_unshown_row(const struct view_model *model, const struct local_transaction *transaction,
                             struct view_finding *finding) {
    assert(transaction->commit > 0);
    const struct oracle_version *version =
        &model->user->versions[oracle_user_version(model->user, transaction->commit)];
    for (size_t i = 0; i < version->n_changes && version->commit == transaction->commit; i++) {
        const struct oracle_change *change = &version->changes[i];
        const char *seen = view_model_text(model, change->row->table, change->row->id);
        if (same_text(change->after, seen))
            continue;
        set_row(finding, change->row->table, change->row->id, change->after, seen);
        break;
    }
    const struct note *write = &transaction->record->note;
    if (finding->table[0] == '\0' && write->n_rows > 0)
        set_row(finding, write->rows[0].table, write->rows[0].id, write->rows[0].values,
                view_model_text(model, write->rows[0].table, write->rows[0].id));
}

static const struct local_transaction *missing_transaction(const struct view_model *model, size_t commit) {
    for (size_t i = 0; i < model->n_transactions; i++) {
        const struct local_transaction *transaction = &model->transactions[i];
        if (transaction->state == TRANSACTION_ACKNOWLEDGED && transaction->commit > commit)
            return transaction;
    }
    return NULL;
}

/* The view is that of a commit before one of the client's own acknowledged writes. */
static void find_missing_write(const struct oracle *oracle, const struct view_model *model, size_t commit,
                               const struct history_record *record, struct view_finding *finding) {
    const struct local_transaction *transaction = missing_transaction(model, commit);
    struct buffer text = {0};
    assert(transaction != NULL);
    begin(finding, VIEW_OWN_WRITES, model, record);
    finding->first_record = transaction->record->number;
    find_unshown_row(model, transaction, finding);
    buffer_printf(&text, "The backend accepted transaction %lld of %s (record %llu) as ",
                  (long long)transaction->number, model->client, (unsigned long long)transaction->answer);
    append_commit(&text, oracle, transaction->commit);
    buffer_append_text(&text, ", but the checkpoint shows ");
    append_commit(&text, oracle, commit);
    buffer_append_text(&text, ", which is older: the write disappears from the screen.");
    finding->explanation = buffer_take(&text);
}

static const struct local_transaction *queued_writer(const struct view_model *model, const char *table,
                                                     const char *id) {
    for (size_t i = model->first_open; i < model->n_transactions; i++) {
        const struct local_transaction *transaction = &model->transactions[i];
        const struct note *note = &transaction->record->note;
        for (size_t j = 0; transaction->state == TRANSACTION_QUEUED && j < note->n_rows; j++) {
            if (strcmp(note->rows[j].table, table) == 0 && strcmp(note->rows[j].id, id) == 0)
                return transaction;
        }
    }
    return NULL;
}

static void find_overwritten_write(const struct view_model *model,
                                   const struct local_transaction *transaction, const char *table,
                                   const char *id, const char *seen, const struct history_record *record,
                                   struct view_finding *finding) {
    const struct note *write = &transaction->record->note;
    assert(transaction->state == TRANSACTION_QUEUED);
    begin(finding, VIEW_OWN_WRITES, model, record);
    finding->first_record = transaction->record->number;
    for (size_t i = 0; i < write->n_rows && finding->table[0] == '\0'; i++) {
        if (strcmp(write->rows[i].table, table) == 0 && strcmp(write->rows[i].id, id) == 0)
            set_row(finding, table, id, write->rows[i].values, seen);
    }
    finding->explanation =
        memory_format("Transaction %lld of %s is still queued, but the checkpoint was published over it.",
                      (long long)transaction->number, model->client);
}

void view_judge_write_not_shown(const struct view_model *model, const struct view_expectation *expectation,
                                const struct history_record *record, struct view_finding *finding) {
    const struct view_row *row = &model->rows.rows[expectation->row];
    begin(finding, VIEW_OWN_WRITES, model, record);
    set_row(finding, row->table, row->id, expectation->text, row->text);
    if (row->writer > 0) {
        const struct local_transaction *transaction = &model->transactions[row->writer - 1];
        finding->first_record = transaction->record->number;
        finding->explanation = memory_format("%s does not show what its transaction %lld wrote.",
                                             model->client, (long long)transaction->number);
    }
}

/* --- parts, and what nothing explains --- */

static void find_part(const struct oracle *oracle, const struct view_model *model,
                      const struct view_difference *difference, const struct history_record *record,
                      struct view_finding *finding) {
    const struct oracle_version *version = &model->user->versions[difference->part_version];
    struct buffer text = {0};
    assert(difference->part_shown > 0 && difference->part_shown < version->n_changes);
    begin(finding, VIEW_ATOMIC, model, record);
    finding->first_record = oracle_commit(oracle, version->commit)->record;
    set_row(finding, difference->table, difference->row, difference->expected, difference->seen);
    buffer_printf(&text, "%s shows %zu of the %zu rows that ", model->client, difference->part_shown,
                  version->n_changes);
    append_commit(&text, oracle, version->commit);
    buffer_printf(&text, " changed for %s; the rest is as before it.", model->user->name);
    finding->explanation = buffer_take(&text);
}

static void find_unexplained(const struct oracle *oracle, const struct view_model *model,
                             const struct view_difference *difference, const struct history_record *record,
                             struct view_finding *finding) {
    const size_t commit = model->user->versions[difference->version].commit;
    struct buffer text = {0};
    begin(finding, VIEW_PREFIX, model, record);
    finding->first_record = oracle_commit(oracle, commit)->record;
    set_row(finding, difference->table, difference->row, difference->expected, difference->seen);
    buffer_printf(&text, "No commit explains what %s shows. The closest is ", model->client);
    append_commit(&text, oracle, commit);
    buffer_printf(&text, ", from which %zu row%s differ%s.", difference->count,
                  difference->count == 1 ? "" : "s", difference->count == 1 ? "s" : "");
    finding->explanation = buffer_take(&text);
}

void view_judge_stray_row(const struct view_model *model, const struct view_row *row, const char *before,
                          const struct history_record *record, struct view_finding *finding) {
    begin(finding, VIEW_PREFIX, model, record);
    set_row(finding, row->table, row->id, before, row->text);
    finding->explanation = memory_format(
        "A row of %s changed without a checkpoint and without an own write to it.", model->client);
}

/* Nothing matches: find out what comes closest, and remember by which rows the view is wrong. */
static void diagnose(const struct oracle *oracle, struct view_model *model,
                     const struct view_difference *difference, const struct history_record *record,
                     struct view_finding *finding) {
    assert(difference->count > 0 && difference->table != NULL);
    const struct oracle_version *version = &model->user->versions[difference->version];
    const struct local_transaction *writer = queued_writer(model, difference->table, difference->row);
    if (difference->part_version != 0)
        find_part(oracle, model, difference, record, finding);
    else if (writer != NULL)
        find_overwritten_write(model, writer, difference->table, difference->row, difference->seen, record,
                               finding);
    else
        find_unexplained(oracle, model, difference, record, finding);
    model->reported = hash128_subtract(model->set, version->set);
    if (version->commit > model->stands_at)
        model->stands_at = version->commit;
}

/* --- a checkpoint --- */

static void stand(struct view_model *model, size_t commit, const struct history_record *record) {
    assert(record->note.kind == NOTE_VIEW);
    model->stands_at = commit;
    model->stands_record = record->number;
}

/* The view is that of a commit before `not_before`. */
static void judge_old_view(const struct oracle *oracle, struct view_model *model, size_t commit,
                           const struct history_record *record, struct view_finding *finding) {
    if (commit < model->stands_at)
        find_going_back(oracle, model, commit, record, finding);
    else
        find_missing_write(oracle, model, commit, record, finding);
    stand(model, commit, record);
    model->must_include = commit; /* reported once */
}

/* Nothing is queued: the sets must be equal. */
static bool judge_synced(const struct oracle *oracle, const struct client_schema *schema,
                         struct view_model *model, size_t not_before, const struct history_record *record,
                         struct view_finding *finding) {
    struct view_difference difference;
    size_t commit = 0;
    bool good = oracle_user_find(oracle, model->user, model->set, not_before, &commit);
    if (good)
        model->reported = no_rows;
    else if (!hash128_equal(model->reported, no_rows))
        good = oracle_user_find(oracle, model->user, hash128_subtract(model->set, model->reported),
                                not_before, &commit);
    if (good) {
        stand(model, commit, record);
        return false;
    }
    if (oracle_user_find_latest(oracle, model->user, model->set, &commit) && commit < not_before) {
        judge_old_view(oracle, model, commit, record, finding);
        return true;
    }
    view_difference_find(model, schema, 0, &difference);
    diagnose(oracle, model, &difference, record, finding);
    return true;
}

/* With local transactions in the queue the view must be a commit's rows with those writes on top. */
static bool judge_queued(const struct oracle *oracle, const struct client_schema *schema,
                         struct view_model *model, size_t not_before, const struct history_record *record,
                         struct view_finding *finding) {
    struct view_difference difference;
    size_t commit = 0;
    view_difference_find(model, schema, not_before, &difference);
    if (difference.count == 0) {
        commit = model->user->versions[difference.version].commit;
        stand(model, commit < not_before ? not_before : commit, record);
        return false;
    }
    const struct local_transaction *writer = queued_writer(model, difference.table, difference.row);
    if (writer != NULL && oracle_user_find(oracle, model->user, model->set, not_before, &commit)) {
        find_overwritten_write(model, writer, difference.table, difference.row, difference.seen, record,
                               finding);
        stand(model, commit, record);
        return true;
    }
    view_difference_find(model, schema, 0, &difference);
    if (difference.count == 0)
        judge_old_view(oracle, model, oracle_user_last_commit(oracle, model->user, difference.version),
                       record, finding);
    else
        diagnose(oracle, model, &difference, record, finding);
    return true;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

bool view_judge_checkpoint(const struct oracle *oracle, const struct client_schema *schema,
                           struct view_model *model, const struct history_record *record,
                           struct view_finding *finding) {
    if (model->urgent_at > model->stands_at) {
        model->stands_at = model->urgent_at;
        model->stands_record = model->urgent_record;
    }
    const size_t not_before = larger(model->stands_at, model->must_include);
    assert(not_before <= oracle_newest(oracle) && model->first_open <= model->n_transactions);
    if (model->first_open < model->n_transactions)
        return judge_queued(oracle, schema, model, not_before, record, finding);
    return judge_synced(oracle, schema, model, not_before, record, finding);
}

/* --- a partial checkpoint --- */

bool view_judge_partial(const struct oracle *oracle, struct view_model *model,
                        const struct history_record *record, struct view_finding *finding) {
    const int priority = (int)record->note.transaction;
    const size_t shown_before = larger(model->stands_at, model->urgent_at);
    const size_t not_before = priority == 0 ? shown_before : larger(shown_before, model->must_include);
    struct buffer text = {0};
    size_t commit = 0;
    assert(priority >= 0 && priority < ORACLE_URGENT);
    if (model->first_open < model->n_transactions)
        return false; /* queued writes lie above what is compared, or were gone over */
    if (oracle_user_find_urgent(oracle, model->user, priority, model->urgent[priority], not_before,
                                &commit) ||
        partial_view_find(oracle, model, record, not_before, &commit)) {
        model->urgent_at = commit;
        model->urgent_record = record->number;
        return false;
    }
    begin(finding, VIEW_PREFIX, model, record);
    buffer_printf(&text, "Up to priority %d %s shows what ", priority, model->client);
    if (partial_view_find(oracle, model, record, 0, &commit)) {
        finding->promise = commit < shown_before ? VIEW_MONOTONIC : VIEW_OWN_WRITES;
        append_commit(&text, oracle, commit);
        buffer_append_text(&text, commit < shown_before ? " gives, but has shown a newer one."
                                                        : " gives, without an own accepted write.");
    } else {
        buffer_append_text(&text, "no commit gives.");
    }
    finding->explanation = buffer_take(&text);
    return true;
}

/* --- a restart --- */

void view_judge_restart(const struct oracle *oracle, struct view_model *model, const struct view_row *row,
                        const char *before, const struct history_record *record,
                        struct view_finding *finding) {
    const struct local_transaction *writer = row->writer == 0 ? NULL : &model->transactions[row->writer - 1];
    const bool own = writer != NULL && writer->state != TRANSACTION_REJECTED &&
                     writer->state != TRANSACTION_CLEARED &&
                     (writer->state == TRANSACTION_QUEUED || writer->commit > model->stands_at);
    size_t commit = 0;
    enum view_promise promise = VIEW_PREFIX;
    if (own)
        promise = VIEW_OWN_WRITES;
    else if (oracle_user_find_latest(oracle, model->user, model->set, &commit) && commit < model->stands_at)
        promise = VIEW_MONOTONIC;
    begin(finding, promise, model, record);
    set_row(finding, row->table, row->id, before, row->text);
    finding->explanation =
        memory_format("After its restart %s does not show what it showed before.", model->client);
}
