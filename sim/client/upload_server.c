/* The two paths through a server of the app's own. Its answers say of each transaction whether it was
 * refused; an answer that cannot be read says nothing, so everything is sent again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "client/upload.h"

static void append_client(struct buffer *body, const struct upload_request *request) {
    buffer_append_text(body, "{\"client_id\":");
    buffer_append_json_text(body, request->client_id);
}

static void request_endpoint(const struct upload_request *request, struct buffer *target,
                             struct buffer *body) {
    buffer_append_text(target, "/api/powersync/upload");
    append_client(body, request);
    buffer_append_text(body, ",\"transactions\":[");
    for (size_t i = 0; i < request->count; i++) {
        const struct upload_transaction *transaction = &request->transactions[i];

        buffer_printf(body, "%s{\"op_id\":\"%lld\",\"ops\":[", i > 0 ? "," : "",
                      (long long)transaction->transaction);
        upload_append_operations(body, transaction, "table", false);
        buffer_append_text(body, "]}");
    }
    buffer_append_text(body, "]}");
}

static void request_sync(const struct upload_request *request, struct buffer *target, struct buffer *body) {
    buffer_append_text(target, "/api/sync");
    append_client(body, request);
    buffer_append_text(body, ",\"batch\":[");
    for (size_t i = 0; i < request->count; i++) {
        if (i > 0)
            buffer_append_char(body, ',');
        upload_append_operations(body, &request->transactions[i], "type", true);
    }
    buffer_append_text(body, "]}");
}

/* The member of `list` whose `key` is the transaction's number; NULL: none. */
static const json_t *find(const json_t *list, const char *key, int64_t transaction) {
    size_t index;
    json_t *item;

    json_array_foreach(list, index, item) {
        const json_t *value = json_object_get(item, key);

        if (json_is_integer(value)
                ? json_integer_value(value) == transaction
                : json_is_string(value) && strtoll(json_string_value(value), NULL, 10) == transaction)
            return item;
    }
    return NULL;
}

static enum upload_verdict reject(const json_t *item, struct buffer *reason) {
    const char *message = json_text(item, "error");

    buffer_append_text(reason, message != NULL ? message : "error without a message");
    return UPLOAD_REJECTED;
}

/* Accepted; `reason` says which rows were not there any more to be changed, if any. */
static enum upload_verdict accept(const json_t *missed, struct buffer *reason) {
    size_t index;
    json_t *row;

    json_array_foreach(missed, index, row) if (json_is_string(row)) buffer_printf(
        reason, "%s%s", reason->length > 0 ? ", " : "not there any more: ", json_string_value(row));
    return UPLOAD_ACCEPTED;
}

static enum upload_verdict answer_endpoint(int status, const char *text, size_t length,
                                           const struct upload_transaction *transaction,
                                           struct buffer *reason) {
    json_t *body;
    const json_t *result;
    enum upload_verdict verdict = UPLOAD_RETRY;

    if (status != 200)
        return upload_judge_status(status, reason);
    body = json_parse(text, length, NULL);
    result = find(json_object_get(body, "results"), "op_id", transaction->transaction);
    if (result == NULL)
        buffer_append_text(reason, "HTTP 200 without a result");
    else if (json_object_get(result, "error") != NULL)
        verdict = reject(result, reason);
    else
        verdict = accept(json_object_get(result, "missed"), reason);
    json_decref(body);
    return verdict;
}

static const json_t *missed_of(const json_t *body, int64_t transaction) {
    return json_object_get(find(json_object_get(body, "missed"), "tx_id", transaction), "rows");
}

static enum upload_verdict answer_sync(int status, const char *text, size_t length,
                                       const struct upload_transaction *transaction, struct buffer *reason) {
    json_t *body;
    const json_t *rejected, *item;
    enum upload_verdict verdict = UPLOAD_RETRY;

    if (status != 200)
        return upload_judge_status(status, reason);
    body = json_parse(text, length, NULL);
    rejected = json_object_get(body, "rejected");
    item = find(rejected, "tx_id", transaction->transaction);
    if (!json_is_array(rejected))
        buffer_append_text(reason, "HTTP 200 without a result");
    else if (item != NULL)
        verdict = reject(item, reason);
    else
        verdict = accept(missed_of(body, transaction->transaction), reason);
    json_decref(body);
    return verdict;
}

const struct upload_path upload_endpoint = {.name = "upload-endpoint",
                                            .summary = "PUT /api/powersync/upload of the app's server, one "
                                                       "transaction each",
                                            .method = "PUT",
                                            .to_server = true,
                                            .shows_token = true,
                                            .request = request_endpoint,
                                            .answer = answer_endpoint};

const struct upload_path upload_sync = {.name = "sync-endpoint",
                                        .summary = "POST /api/sync of the app's server, as many transactions "
                                                   "as fit into a batch",
                                        .method = "POST",
                                        .to_server = true,
                                        .shows_token = true,
                                        .many = true,
                                        .request = request_sync,
                                        .answer = answer_sync};
