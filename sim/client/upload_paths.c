#include "client/upload.h"

#include "base/json.h"

const struct upload_path *const *upload_paths(void) {
    static const struct upload_path *const paths[] = {&upload_convex_mutation,
                                                      &upload_signed_in_mutation,
                                                      &upload_row_mutations,
                                                      &upload_endpoint,
                                                      &upload_sync,
                                                      NULL};
    return paths;
}

static void append_member(struct buffer *body, const char *key, const char *text) {
    buffer_append_json_text(body, key);
    buffer_append_char(body, ':');
    buffer_append_json_text(body, text);
    buffer_append_char(body, ',');
}

static void append_operation(struct buffer *body, const json_t *entry, const char *table_key) {
    const json_t *data = json_object_get(entry, "data");

    append_member(body, "op", json_text(entry, "op"));
    append_member(body, table_key, json_text(entry, "type"));
    buffer_append_text(body, "\"id\":");
    buffer_append_json_text(body, json_text(entry, "id"));
    if (json_is_object(data)) { /* DELETE has none */
        buffer_append_text(body, ",\"data\":");
        json_append(body, data);
    }
    buffer_append_char(body, '}');
}

void upload_append_operations(struct buffer *body, const struct upload_transaction *transaction,
                              const char *table_key, bool numbers) {
    size_t index;
    json_t *entry;

    json_array_foreach(transaction->entries, index, entry) {
        buffer_append_text(body, index > 0 ? ",{" : "{");
        if (numbers)
            buffer_printf(body, "\"op_id\":%lld,\"tx_id\":%lld,",
                          (long long)transaction->first + (long long)index,
                          (long long)transaction->transaction);
        append_operation(body, entry, table_key);
    }
}

static bool is_refusal(int status) {
    return status >= 400 && status < 500 && status != 401 && status != 408 && status != 429;
}

enum upload_verdict upload_judge_status(int status, struct buffer *reason) {
    buffer_printf(reason, "HTTP %d", status);
    return is_refusal(status) ? UPLOAD_REJECTED : UPLOAD_RETRY;
}
