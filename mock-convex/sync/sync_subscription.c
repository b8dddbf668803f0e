#include "mock-convex/sync/sync_subscription.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mock-convex/function/context.h"
#include "mock-convex/value/utf8.h"

struct sync_subscription *sync_subscription_make(struct sync_session *session, uint32_t id,
                                                 struct convex_call call) {
    struct sync_subscription *query = memory_allocate(sizeof *query);
    query->session = session;
    query->id = id;
    query->call = call;
    query->stale = true;
    return query;
}

void sync_subscription_free(struct sync_subscription *query) {
    convex_watch_end(&query->watch);
    convex_call_free(&query->call);
    free(query);
}

void sync_subscription_identify(struct sync_subscription *query, enum convex_identity identity,
                                const struct convex_value *user) {
    convex_watch_end(&query->watch); /* it has to run anyway */
    convex_free(query->call.user);
    query->call.identity = identity;
    query->call.user = user != NULL ? convex_copy(user) : NULL;
    query->stale = true;
}

/* True: `result` is the hash of something new. */
static bool changes(struct sync_subscription *query, const struct buffer *result, char kind) {
    struct buffer all = {0};
    buffer_append_char(&all, kind);
    buffer_append(&all, buffer_text(result), result->length);
    buffer_append(&all, buffer_text(&query->call.log.items), query->call.log.items.length);
    struct hash128 hash = hash128_of(all.data, all.length);
    buffer_free(&all);
    bool differs = !query->sent || !hash128_equal(hash, query->result);
    query->sent = true;
    query->result = hash;
    return differs;
}

static void begin_item(const struct sync_subscription *query, const char *type, const char *field,
                       struct buffer *modifications) {
    if (modifications->length > 0) {
        buffer_append_char(modifications, ',');
    }
    buffer_printf(modifications, "{\"type\":\"%s\",\"queryId\":%" PRIu32 ",\"%s\":", type, query->id, field);
}

static void append_end(const struct sync_subscription *query, struct buffer *modifications) {
    buffer_append_text(modifications, ",\"logLines\":");
    convex_log_append_json(modifications, &query->call.log);
    buffer_append_text(modifications, ",\"journal\":null");
}

/* `data` NULL: the error has none. */
static void fail(struct sync_subscription *query, struct convex_deployment *deployment, const char *message,
                 const struct convex_value *data, struct buffer *modifications) {
    struct buffer text = {0}, encoded = {0};
    if (data != NULL) {
        buffer_append_text(&encoded, ",\"errorData\":");
        convex_append_json(&encoded, data, CONVEX_FORMAT_ENCODED);
    }
    buffer_append_text(&text, message);
    buffer_append(&text, buffer_text(&encoded), encoded.length);
    if (changes(query, &text, 'f')) {
        buffer_clear(&text);
        convex_call_failure(deployment, &query->call, message, data, &text);
        begin_item(query, "QueryFailed", "errorMessage", modifications);
        convex_utf8_append_json(modifications, buffer_text(&text));
        append_end(query, modifications);
        buffer_append(modifications, buffer_text(&encoded), encoded.length);
        buffer_append_char(modifications, '}');
    }
    buffer_free(&text);
    buffer_free(&encoded);
}

static void succeed(struct sync_subscription *query, const struct convex_value *value,
                    struct buffer *modifications) {
    struct buffer text = {0};
    convex_append_json(&text, value, CONVEX_FORMAT_ENCODED);
    if (changes(query, &text, 'v')) {
        begin_item(query, "QueryUpdated", "value", modifications);
        buffer_append(modifications, text.data, text.length);
        append_end(query, modifications);
        buffer_append_char(modifications, '}');
    }
    buffer_free(&text);
}

static void run(struct sync_subscription *query, struct convex_deployment *deployment,
                struct convex_watches *watches, struct buffer *modifications) {
    struct convex_context context;
    struct convex_value *value = NULL;
    struct error error = {0};
    const struct convex_store *store = &deployment->store;
    convex_context_begin(&context, deployment, query->call.function, query->call.user);
    if (query->id % 2 == 1 && store->log_count > 0 && host_mutant(deployment->host, "split-snapshot")) {
        context.transaction.begin = store->log[store->log_count - 1]->ts - 1;
    }
    enum status status =
        convex_context_call(&context, query->call.function, query->call.args, &value, &error);
    convex_watch_begin(&query->watch, watches, &context.transaction, query);
    convex_call_keep_log(deployment, &query->call, &context.log);
    if (status == STATUS_OK) {
        succeed(query, value, modifications);
    } else {
        fail(query, deployment, error.message, context.thrown, modifications);
    }
    convex_free(value);
    convex_context_end(&context);
}

void sync_subscription_run(struct sync_subscription *query, struct convex_deployment *deployment,
                           struct convex_watches *watches, struct buffer *modifications) {
    char message[512];
    convex_call_resolve(deployment, &query->call);
    convex_log_free(&query->call.log);
    const char *refusal = convex_call_refusal(&query->call, CONVEX_QUERY, message);
    assert(query->stale);
    query->stale = false;
    convex_watch_end(&query->watch);
    if (refusal != NULL) {
        fail(query, deployment, refusal, NULL, modifications);
    } else {
        run(query, deployment, watches, modifications);
    }
}
