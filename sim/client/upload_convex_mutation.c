#include "client/upload.h"

#include <string.h>

#include "base/json.h"

/* Entries of the upload queue under the names that the app's function takes: "type" is the table. */
static void append_operation(struct buffer *body, const json_t *entry) {
    const json_t *data = json_object_get(entry, "data");

    buffer_append_text(body, "{\"op\":");
    buffer_append_json_text(body, json_text(entry, "op"));
    buffer_append_text(body, ",\"table\":");
    buffer_append_json_text(body, json_text(entry, "type"));
    buffer_append_text(body, ",\"id\":");
    buffer_append_json_text(body, json_text(entry, "id"));
    if (json_is_object(data)) { /* DELETE has none */
        buffer_append_text(body, ",\"data\":");
        json_append(body, data);
    }
    buffer_append_char(body, '}');
}

static void request(const struct upload_transaction *transaction, struct buffer *target,
                    struct buffer *body) {
    size_t index;
    json_t *entry;

    buffer_append_text(target, "/api/mutation");
    buffer_append_text(body, "{\"path\":\"sync:applyTransaction\",\"args\":{\"clientId\":");
    buffer_append_json_text(body, transaction->client_id);
    /* As text: Convex reads a JSON number as Float64. */
    buffer_append_text(body, ",\"transactionId\":\"");
    buffer_append_integer(body, transaction->transaction);
    buffer_append_text(body, "\",\"operations\":[");
    json_array_foreach(transaction->entries, index, entry) {
        if (index > 0)
            buffer_append_char(body, ',');
        append_operation(body, entry);
    }
    buffer_append_text(body, "]},\"format\":\"json\"}");
}

/* Requests that were not even tried, or may succeed later: timeout, too many requests, and 401 until the app
 * has signed in again. Every other 4xx would fail for ever. */
static bool is_refusal(int status) {
    return status >= 400 && status < 500 && status != 401 && status != 408 && status != 429;
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
static enum upload_verdict answer(int status, const char *body, size_t length, struct buffer *reason) {
    if (status == 200)
        return read_body(body, length, reason);
    buffer_printf(reason, "HTTP %d", status);
    return is_refusal(status) ? UPLOAD_REJECTED : UPLOAD_RETRY;
}

const struct upload_path upload_convex_mutation = {
    .name = "convex-mutation", .request = request, .answer = answer};
