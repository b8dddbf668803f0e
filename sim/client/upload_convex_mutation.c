#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "client/upload.h"

static void append_call(const struct upload_request *request, bool row, struct buffer *target,
                        struct buffer *body) {
    const struct upload_transaction *transaction = &request->transactions[0];

    assert(request->count == 1);
    buffer_append_text(target, "/api/mutation");
    buffer_append_text(body, "{\"path\":\"sync:applyTransaction\",\"args\":{\"clientId\":");
    buffer_append_json_text(body, request->client_id);
    /* As text: Convex reads a JSON number as Float64. */
    buffer_printf(body, ",\"transactionId\":\"%lld\"", (long long)transaction->transaction);
    if (row)
        buffer_printf(body, ",\"opId\":\"%lld\"", (long long)transaction->first);
    if (request->checkpoint_for != NULL) {
        buffer_append_text(body, ",\"checkpointFor\":");
        buffer_append_json_text(body, request->checkpoint_for);
    }
    buffer_append_text(body, ",\"operations\":[");
    upload_append_operations(body, transaction, "table", false);
    buffer_append_text(body, "]},\"format\":\"json\"}");
}

static void request_transaction(const struct upload_request *request, struct buffer *target,
                                struct buffer *body) {
    append_call(request, false, target, body);
}

static void request_row(const struct upload_request *request, struct buffer *target, struct buffer *body) {
    append_call(request, true, target, body);
}

static enum upload_verdict read_body(const char *text, size_t length, struct buffer *reason) {
    json_t *body = json_parse(text, length, NULL);
    const char *status = json_text(body, "status");
    const char *message = json_text(body, "errorMessage");
    enum upload_verdict verdict = UPLOAD_RETRY;

    if (status != NULL && strcmp(status, "success") == 0) {
        verdict = UPLOAD_ACCEPTED;
    } else if (status != NULL && strcmp(status, "error") == 0) {
        verdict = UPLOAD_REJECTED;
        buffer_append_text(reason, message != NULL ? message : "error without a message");
    } else {
        buffer_append_text(reason, "HTTP 200 without a status");
    }
    json_decref(body);
    return verdict;
}

/* A function that throws answers 200 with {"status":"error"}: the transaction will not do better next time.
 */
static enum upload_verdict answer(int status, const char *body, size_t length,
                                  const struct upload_transaction *transaction, struct buffer *reason) {
    (void)transaction;
    return status == 200 ? read_body(body, length, reason) : upload_judge_status(status, reason);
}

/* {"status":"success","value":{"checkpoint":"7"}} */
static int64_t read_checkpoint(const char *text, size_t length) {
    json_t *body = json_parse(text, length, NULL);
    const char *number = json_text(json_object_get(body, "value"), "checkpoint");
    int64_t checkpoint = number != NULL ? strtoll(number, NULL, 10) : 0;

    json_decref(body);
    return checkpoint > 0 && checkpoint < INT64_MAX ? checkpoint : 0;
}

const struct upload_path upload_convex_mutation = {.name = "convex-mutation",
                                                   .summary =
                                                       "one Convex mutation for each local transaction",
                                                   .method = "POST",
                                                   .request = request_transaction,
                                                   .checkpoint = read_checkpoint,
                                                   .answer = answer};

const struct upload_path upload_signed_in_mutation = {
    .name = "signed-in-mutation",
    .summary = "the same with the token that PowerSync gets, so that the function knows who asks",
    .method = "POST",
    .shows_token = true,
    .request = request_transaction,
    .answer = answer};

const struct upload_path upload_row_mutations = {.name = "row-mutations",
                                                 .summary = "one Convex mutation for each row",
                                                 .method = "POST",
                                                 .by_row = true,
                                                 .request = request_row,
                                                 .answer = answer};
