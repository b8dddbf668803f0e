#include "check/view_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "check/local_row.h"
#include "check/row_set.h"
#include "check/view_judge.h"

struct view_models {
    struct checker *checker;
    const struct check_settings *settings;
    struct map by_node;      /* node name -> struct view_model */
    struct map by_client_id; /* the core's client id -> struct view_model */
    struct view_model *models;
    size_t count;
    uint64_t judged;
    struct buffer scratch;
    struct view_finding finding;
    bool found;
};

static const char receipts_table[] = "upload_receipts"; /* the app's table of uploads that are done */

/* --- rows --- */

static void place_row(const struct view_model *model, struct view_row *row) {
    const struct client_table *table = local_row_table(model->schema, row->table);
    row->priority = (int8_t)oracle_table_priority(model->oracle, row->table);
    row->local = table != NULL && table->local_only;
}

/* Texts are those of a history record, as every text here. Borrowed until the next call. */
static struct view_row *open_row(struct view_model *model, const char *table, const char *id) {
    bool is_new = false;
    const size_t index = view_rows_open(&model->rows, table, id, &is_new); /* may move the rows */
    struct view_row *row = &model->rows.rows[index];
    if (is_new)
        place_row(model, row);
    return row;
}

static size_t index_of(const struct view_model *model, const struct view_row *row) {
    return (size_t)(row - model->rows.rows);
}

static void show(struct view_models *models, struct view_model *model, struct view_row *row,
                 const char *text) {
    const char *before = row->text;
    row->text = text;
    if (row->local || before == text)
        return;
    const struct hash128 gone = row_set_hash(&models->scratch, row->table, row->id, before);
    const struct hash128 come = row_set_hash(&models->scratch, row->table, row->id, text);
    model->set = hash128_add(hash128_subtract(model->set, gone), come);
    for (int p = row->priority; p < ORACLE_URGENT; p++)
        model->urgent[p] = hash128_add(hash128_subtract(model->urgent[p], gone), come);
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

const char *view_model_text(const struct view_model *model, const char *table, const char *id) {
    const struct view_row *row = view_rows_find(&model->rows, table, id);
    return row == NULL ? NULL : row->text;
}

/* --- own transactions --- */

static struct local_transaction *find_transaction(const struct view_model *model, int64_t number) {
    const size_t position = (uintptr_t)map_get_bytes(&model->numbers, &number, sizeof number);
    return position == 0 ? NULL : &model->transactions[position - 1];
}

static struct view_expectation *open_expectation(struct view_model *model, struct view_row *row) {
    assert(row->expectation <= model->n_expectations);
    if (row->expectation == 0) {
        MEMORY_RESERVE(model->expectations, model->expectations_capacity, model->n_expectations + 1);
        char *text = memory_copy_text(row->text);
        model->expectations[model->n_expectations++] = (struct view_expectation){index_of(model, row), text};
        row->expectation = (uint32_t)model->n_expectations;
    }
    return &model->expectations[row->expectation - 1];
}

static void expect_operation(struct view_model *model, const struct note_row *operation) {
    const struct client_table *table = local_row_table(model->schema, operation->table);
    if (table == NULL || table->insert_only)
        return;
    struct view_row *row = open_row(model, operation->table, operation->id);
    struct view_expectation *expectation = open_expectation(model, row);
    struct buffer text = {0};
    const bool exists = local_row_apply(&text, table, expectation->text, operation);
    free(expectation->text);
    expectation->text = exists ? buffer_take(&text) : NULL;
    buffer_free(&text);
    row->writer = row->local ? 0 : (uint32_t)model->n_transactions;
}

static void record_local_write(struct view_model *model, const struct history_record *record) {
    const int64_t number = record->note.transaction;
    assert(record->note.kind == NOTE_LOCAL_WRITE);
    if (number > 0) { /* else nothing of it is queued */
        MEMORY_RESERVE(model->transactions, model->transactions_capacity, model->n_transactions + 1);
        model->transactions[model->n_transactions++] =
            (struct local_transaction){.number = number, .record = record};
        map_set_bytes(&model->numbers, &number, sizeof number, (void *)(uintptr_t)model->n_transactions);
        model->between = true;
    }
    for (size_t i = 0; i < record->note.n_rows; i++)
        expect_operation(model, &record->note.rows[i]);
}

static void include_own_commit(struct view_model *model, const struct local_transaction *transaction) {
    if (transaction->state == TRANSACTION_ACKNOWLEDGED && transaction->commit > model->must_include)
        model->must_include = transaction->commit;
}

static void close_answered(struct view_model *model) {
    while (model->first_open < model->n_transactions &&
           model->transactions[model->first_open].state != TRANSACTION_QUEUED)
        model->first_open++;
}

static void record_answer(struct view_model *model, const struct history_record *record,
                          enum transaction_state state) {
    struct local_transaction *transaction = find_transaction(model, record->note.transaction);
    if (transaction == NULL || transaction->state != TRANSACTION_QUEUED)
        return;
    assert(state != TRANSACTION_QUEUED);
    transaction->state = state;
    transaction->answer = record->number;
    include_own_commit(model, transaction);
    close_answered(model);
}

/* `part` is a number of its own for each part, 0: the whole transaction. What came in parts counts as often
 * as its first part did. */
static void record_part(struct local_transaction *transaction, int64_t part) {
    if (transaction->commits == 0)
        transaction->part = part;
    if (transaction->commits == 0 || part > 0)
        transaction->commit = transaction->latest_commit;
    transaction->commits += part == transaction->part;
}

static void record_receipt(struct view_models *models, const char *text) {
    json_t *receipt = json_parse(text, strlen(text), NULL);
    const char *client_id = json_text(receipt, "client_id");
    const char *number = json_text(receipt, "transaction_id");
    const char *part = json_text(receipt, "op_id");
    struct view_model *model = client_id == NULL ? NULL : map_get(&models->by_client_id, client_id);
    struct local_transaction *transaction =
        model == NULL || number == NULL ? NULL : find_transaction(model, strtoll(number, NULL, 10));
    if (transaction != NULL) {
        transaction->latest_commit = oracle_newest(model->oracle);
        assert(transaction->latest_commit > 0);
        record_part(transaction, part == NULL ? 0 : strtoll(part, NULL, 10) + 1);
        include_own_commit(model, transaction);
    }
    json_decref(receipt);
}

static void record_commit(struct view_models *models, const struct history_record *record) {
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *row = &record->note.rows[i];
        if (row->values != NULL && strcmp(row->table, receipts_table) == 0)
            record_receipt(models, row->values);
    }
}

/* --- views --- */

static void clear_expectations(struct view_model *model) {
    for (size_t i = 0; i < model->n_expectations; i++) {
        struct view_row *row = &model->rows.rows[model->expectations[i].row];
        assert(row->expectation == i + 1);
        row->expectation = 0;
        free(model->expectations[i].text);
    }
    model->n_expectations = 0;
}

/* Every row of an own write must show what the write made of it. */
static void judge_own_write(struct view_models *models, struct view_model *model,
                            const struct history_record *record) {
    for (size_t i = 0; i < model->n_expectations; i++) {
        const struct view_expectation *expectation = &model->expectations[i];
        if (same_text(expectation->text, model->rows.rows[expectation->row].text))
            continue;
        models->found = true;
        view_judge_write_not_shown(model, expectation, record, &models->finding);
        return;
    }
}

static void record_write_view(struct view_models *models, struct view_model *model,
                              const struct history_record *record) {
    size_t stray = SIZE_MAX;
    const char *stray_before = NULL;
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *listed = &record->note.rows[i];
        struct view_row *row = open_row(model, listed->table, listed->id);
        if (stray == SIZE_MAX && row->expectation == 0 && !same_text(row->text, listed->values)) {
            stray = index_of(model, row);
            stray_before = row->text;
        }
        show(models, model, row, listed->values);
    }
    judge_own_write(models, model, record);
    if (!models->found && stray != SIZE_MAX) {
        models->found = true;
        view_judge_stray_row(model, &model->rows.rows[stray], stray_before, record, &models->finding);
    }
    clear_expectations(model);
}

static void record_checkpoint_view(struct view_models *models, struct view_model *model,
                                   const struct history_record *record) {
    judge_own_write(models, model, record); /* a write of which no view was noted */
    clear_expectations(model);
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *listed = &record->note.rows[i];
        show(models, model, open_row(model, listed->table, listed->id), listed->values);
    }
    const bool partial =
        strcmp(record->note.text, "partial") == 0 && record->note.transaction < ORACLE_URGENT;
    model->between = partial;
    if (models->found)
        return;
    if (!partial)
        model->asked_anew = false;
    else if (model->asked_anew)
        return; /* rows of streams that are not asked for any more go with the next whole one */
    if (partial)
        models->found = view_judge_partial(model->oracle, model, record, &models->finding);
    else
        models->found = view_judge_checkpoint(model->oracle, model->schema, model, record, &models->finding);
}

/* What a device's disk has lost is nobody's fault here (the property `durability` says whether it may), and
 * the client may stand at an earlier commit again. What the backend had accepted by then stays owed, as far
 * as the device knows that it was sent. */
static void record_restart(struct view_model *model, const struct note *note) {
    if (note->text == NULL)
        return;
    model->unsure = true;
    model->stands_at = model->urgent_at = model->must_include = 0;
    clear_expectations(model);
    for (size_t i = 0; i < model->n_transactions; i++) {
        struct local_transaction *transaction = &model->transactions[i];
        if (transaction->number > note->transaction && !transaction->taken_back) {
            transaction->taken_back = true;
            map_remove_bytes(&model->numbers, &transaction->number, sizeof transaction->number);
            if (transaction->state == TRANSACTION_QUEUED)
                transaction->state = TRANSACTION_LOST;
        }
        if (!transaction->taken_back)
            include_own_commit(model, transaction);
    }
    close_answered(model);
}

/* All rows are listed: what is not listed is gone. Nothing may differ from before. */
static void record_restart_view(struct view_models *models, struct view_model *model,
                                const struct history_record *record) {
    size_t changed = SIZE_MAX;
    const char *before = NULL;
    if (!model->unsure)
        judge_own_write(models, model, record);
    clear_expectations(model);
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *listed = &record->note.rows[i];
        struct view_row *row = open_row(model, listed->table, listed->id);
        row->listed = true;
        if (changed == SIZE_MAX && !same_text(row->text, listed->values)) {
            changed = index_of(model, row);
            before = row->text;
        }
        show(models, model, row, listed->values);
    }
    for (size_t i = 0; i < model->rows.count; i++) {
        struct view_row *row = &model->rows.rows[i];
        const bool stays = row->text == NULL || row->listed;
        row->listed = false;
        if (stays)
            continue;
        before = changed == SIZE_MAX ? row->text : before;
        changed = changed == SIZE_MAX ? i : changed;
        show(models, model, row, NULL);
    }
    if (!models->found && changed != SIZE_MAX && !model->unsure) {
        models->found = true;
        view_judge_restart(model->oracle, model, &model->rows.rows[changed], before, record,
                           &models->finding);
    }
    model->unsure = false;
}

/* A new beginning: what was shown, acknowledged or queued before binds no longer. */
static void begin_anew(struct view_model *model) {
    model->stands_at = 0;
    model->stands_record = 0;
    model->urgent_at = 0;
    model->urgent_record = 0;
    model->must_include = 0;
    model->reported = (struct hash128){0, 0};
    model->between = false;
}

static void record_clear(struct view_models *models, struct view_model *model,
                         const struct history_record *record) {
    record_restart_view(models, model, record);
    models->found = false; /* it is meant to differ */
    for (size_t i = model->first_open; i < model->n_transactions; i++)
        if (model->transactions[i].state == TRANSACTION_QUEUED)
            model->transactions[i].state = TRANSACTION_CLEARED;
    model->first_open = model->n_transactions;
    begin_anew(model);
}

static const struct client_schema *version_of(const struct view_models *models, int64_t version) {
    for (size_t i = 0; i < models->settings->n_versions; i++)
        if (models->settings->versions[i]->version == version)
            return models->settings->versions[i];
    return models->settings->schema;
}

/* The device is judged by this version from now on. Nothing may be shown. */
static void use_version(struct view_models *models, struct view_model *model,
                        const struct client_schema *schema) {
    model->schema = schema;
    model->oracle = checker_oracle_of(models->checker, schema);
    for (size_t i = 0; i < model->rows.count; i++) {
        assert(model->rows.rows[i].text == NULL);
        place_row(model, &model->rows.rows[i]);
    }
}

/* The same commit as before, as the other version shows it; but while there are own writes that have not come
 * back, nobody knows what was in the columns that the app did not have. */
static void record_schema(struct view_models *models, struct view_model *model,
                          const struct history_record *record) {
    const struct client_schema *schema = version_of(models, record->note.transaction);
    judge_own_write(models, model, record);
    clear_expectations(model);
    for (size_t i = 0; i < model->rows.count; i++)
        show(models, model, &model->rows.rows[i], NULL);
    model->user = oracle_find(checker_oracle_of(models->checker, schema), model->user->name, model->request);
    use_version(models, model, schema);
    for (size_t i = 0; i < record->note.n_rows; i++) {
        const struct note_row *listed = &record->note.rows[i];
        show(models, model, open_row(model, listed->table, listed->id), listed->values);
    }
    if (!models->found && !model->between && !model->asked_anew && model->first_open == model->n_transactions)
        models->found = view_judge_checkpoint(model->oracle, schema, model, record, &models->finding);
}

/* Between two users the view is nobody's: the last one's until somebody signs in. */
static void record_identity(struct view_model *model, const struct history_record *record) {
    const struct oracle_user *user =
        record->note.text == NULL ? NULL : oracle_find(model->oracle, record->note.text, model->request);
    if (record->note.text != NULL)
        model->identity = record->note.text;
    if (user == NULL || user == model->user)
        return;
    model->user = user;
    begin_anew(model);
}

static void free_asked(struct view_model *model) {
    free((struct client_subscription *)(uintptr_t)model->asked.subscriptions);
    model->asked.subscriptions = NULL;
}

/* From the next checkpoint on the view is that of another set of streams. It is still no older one. */
static void record_request(struct view_model *model, const struct note *note) {
    struct client_subscription *list = memory_allocate_array(note->n_rows + 1, sizeof *list);
    const struct oracle_user *user;
    for (size_t i = 0; i < note->n_rows; i++) /* texts live as long as the history */
        list[i] = (struct client_subscription){.stream = note->rows[i].table, .parameters = note->rows[i].id};
    if (model->request != NULL)
        model->asked.parameters = model->request->parameters;
    free_asked(model);
    model->asked.subscriptions = list;
    model->asked.n_subscriptions = note->n_rows;
    model->request = &model->asked;
    user = oracle_find(model->oracle, model->identity, model->request);
    if (user == NULL || user == model->user)
        return;
    model->user = user;
    model->asked_anew = true;
    model->reported = (struct hash128){0, 0};
}

static void record_view(struct view_models *models, struct view_model *model,
                        const struct history_record *record) {
    const char *cause = record->note.text == NULL ? "" : record->note.text;
    models->judged++;
    if (strcmp(cause, "clear") == 0)
        record_clear(models, model, record);
    else if (strcmp(cause, "restart") == 0)
        record_restart_view(models, model, record);
    else if (strcmp(cause, "schema") == 0)
        record_schema(models, model, record);
    else if (strcmp(cause, "checkpoint") == 0 || strcmp(cause, "partial") == 0)
        record_checkpoint_view(models, model, record);
    else
        record_write_view(models, model, record);
    model->last_view = record;
}

void view_models_record(struct view_models *models, const struct history_record *record) {
    free(models->finding.expected);
    free(models->finding.seen);
    free(models->finding.explanation);
    models->finding = (struct view_finding){0};
    models->found = false;
    if (record->note.kind == NOTE_COMMIT)
        record_commit(models, record);
    struct view_model *model = map_get(&models->by_node, record->node);
    if (model == NULL)
        return;
    switch (record->note.kind) {
    case NOTE_LOCAL_WRITE:
        record_local_write(model, record);
        break;
    case NOTE_VIEW:
        record_view(models, model, record);
        break;
    case NOTE_UPLOAD_STARTED:
        if (record->note.text != NULL)
            map_set(&models->by_client_id, record->note.text, model);
        break;
    case NOTE_UPLOAD_ACKNOWLEDGED:
        record_answer(model, record, TRANSACTION_ACKNOWLEDGED);
        break;
    case NOTE_UPLOAD_REJECTED:
        record_answer(model, record, TRANSACTION_REJECTED);
        break;
    case NOTE_IDENTITY:
        record_identity(model, record);
        break;
    case NOTE_STREAMS:
        if (strcmp(record->note.text, "asked") == 0)
            record_request(model, &record->note);
        break;
    case NOTE_RESTART:
        record_restart(model, &record->note);
        break;
    case NOTE_QUEUE:
        model->queue = record;
        break;
    default:
        break;
    }
}

/* --- life --- */

struct view_models *view_models_create(struct checker *checker, const struct check_settings *settings) {
    struct view_models *models = memory_allocate(sizeof *models);
    models->checker = checker;
    models->settings = settings;
    models->count = settings->n_clients;
    models->models = memory_allocate_array(models->count, sizeof *models->models);
    for (size_t i = 0; i < models->count; i++) {
        struct view_model *model = &models->models[i];
        model->client = settings->clients[i];
        use_version(models, model,
                    settings->begins != NULL && settings->begins[i] != NULL ? settings->begins[i]
                                                                            : settings->schema);
        model->user = oracle_client(model->oracle, i);
        model->identity = settings->users[i];
        model->request = settings->requests == NULL ? NULL : &settings->requests[i];
        assert(model->user != NULL);
        map_set(&models->by_node, model->client, model);
    }
    return models;
}

void view_models_destroy(struct view_models *models) {
    for (size_t i = 0; i < models->count; i++) {
        struct view_model *model = &models->models[i];
        clear_expectations(model);
        free_asked(model);
        view_rows_free(&model->rows);
        map_free(&model->numbers, NULL);
        free(model->transactions);
        free(model->expectations);
    }
    free(models->finding.expected);
    free(models->finding.seen);
    free(models->finding.explanation);
    map_free(&models->by_node, NULL);
    map_free(&models->by_client_id, NULL);
    buffer_free(&models->scratch);
    free(models->models);
    free(models);
}

const struct view_finding *view_models_finding(const struct view_models *models) {
    return models->found ? &models->finding : NULL;
}

uint64_t view_models_judged(const struct view_models *models) {
    return models->judged;
}

size_t view_models_count(const struct view_models *models) {
    return models->count;
}

const struct view_model *view_models_get(const struct view_models *models, size_t index) {
    assert(index < models->count);
    return &models->models[index];
}
