#include "scenario/blame.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const struct scenario_step *find_step(const struct plan *plan, const char *id) {
    for (size_t i = 0; id && i < plan->n_steps; i++)
        if (!strcmp(plan->steps[i].id, id))
            return &plan->steps[i];
    return NULL;
}

static const struct history_record *find_record(const struct history *history, uint64_t number) {
    if (number < 1 || number > history_length(history))
        return NULL;
    const struct history_record *record = history_get(history, number - 1);
    assert(record->number == number);
    return record;
}

/* The step of a client's local transaction. */
static const char *step_of_transaction(const struct history *history, const char *node, int64_t transaction) {
    for (size_t i = 0; i < history_length(history); i++) {
        const struct history_record *record = history_get(history, i);
        if (record->note.kind == NOTE_LOCAL_WRITE && record->note.transaction == transaction &&
            !strcmp(record->node, node))
            return record->note.text;
    }
    return NULL;
}

/* The step of a plain client's call; numbers begin anew when its process does. */
static const char *step_of_call(const struct history *history, const struct history_record *ended) {
    for (size_t i = ended->number; i-- > 0;) {
        const struct history_record *record = history_get(history, i);
        if (record->note.kind == NOTE_CALL_STARTED && record->note.transaction == ended->note.transaction &&
            !strcmp(record->node, ended->node))
            return record->note.text;
    }
    return NULL;
}

static const char *node_of_client_id(const struct history *history, const char *client_id) {
    for (size_t i = 0; client_id && i < history_length(history); i++) {
        const struct history_record *record = history_get(history, i);
        if (record->note.kind == NOTE_UPLOAD_STARTED && record->note.text &&
            !strcmp(record->note.text, client_id))
            return record->node;
    }
    return NULL;
}

/* A commit carries the receipt of the local transaction that it is. */
static const char *step_of_commit(const struct history *history, const struct note *note) {
    const char *step = NULL;
    assert(note->kind == NOTE_COMMIT);
    for (size_t i = 0; !step && i < note->n_rows; i++) {
        const struct note_row *row = &note->rows[i];
        if (strcmp(row->table, "upload_receipts") != 0 || !row->values)
            continue;
        json_t *receipt = json_parse(row->values, strlen(row->values), NULL);
        const char *node = receipt ? node_of_client_id(history, json_text(receipt, "client_id")) : NULL;
        const char *transaction = receipt ? json_text(receipt, "transaction_id") : NULL;
        if (node && transaction)
            step = step_of_transaction(history, node, strtoll(transaction, NULL, 10));
        json_decref(receipt);
    }
    return step;
}

static const char *step_of_record(const struct history *history, const struct history_record *record) {
    switch (record->note.kind) {
    case NOTE_LOCAL_WRITE:
        return record->note.text;
    case NOTE_CALL_STARTED:
    case NOTE_CALL_ENDED:
        return step_of_call(history, record);
    case NOTE_COMMIT:
        return step_of_commit(history, &record->note);
    case NOTE_UPLOAD_STARTED:
    case NOTE_UPLOAD_ACKNOWLEDGED:
    case NOTE_UPLOAD_REJECTED:
    case NOTE_UPLOAD_FAILED:
        return step_of_transaction(history, record->node, record->note.transaction);
    default:
        return NULL;
    }
}

void blame_steps(const struct plan *plan, const struct history *history, const struct violation *violation,
                 struct buffer *out) {
    assert(plan && violation->property);
    const uint64_t numbers[] = {violation->first_record, violation->second_record};
    const struct scenario_step *said = NULL;
    for (size_t i = 0; i < 2; i++) {
        const struct history_record *record = find_record(history, numbers[i]);
        if (!record)
            continue;
        const struct scenario_step *step = find_step(plan, step_of_record(history, record));
        if (step && step == said)
            continue;
        if (out->length > 0)
            buffer_append_char(out, '\n');
        if (step)
            plan_describe_step(step, out);
        else
            history_narrate(out, record);
        said = step;
    }
}
