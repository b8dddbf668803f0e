/* POST /api/query_ts and /api/query_at_ts; see function_routes.h. */
#include <assert.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "mock-convex/function/context.h"
#include "mock-convex/function/function_api.h"
#include "mock-convex/function/function_routes.h"
#include "mock-convex/http/auth.h"

#define TRANSACTION_WINDOW (10 * TIME_SECOND) /* snapshots older than this are gone */

void convex_answer_query_ts(struct convex_deployment *deployment, const struct convex_request *request,
                            struct convex_reply *reply) {
    unsigned char bytes[8];
    uint64_t latest = (uint64_t)deployment->store.latest;
    (void)request; /* no key, no body */
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(latest >> (8 * i));
    }
    reply->status = 200;
    buffer_append_text(&reply->body, "{\"ts\":\"");
    base64_append(&reply->body, bytes, sizeof bytes);
    buffer_append_text(&reply->body, "\"}");
}

static bool decode_ts(const char *text, uint64_t *ts) {
    struct buffer bytes = {0};
    bool decoded = base64_decode(&bytes, text, strlen(text), NULL) == STATUS_OK && bytes.length == sizeof *ts;
    *ts = 0;
    for (size_t i = 0; decoded && i < sizeof *ts; i++) {
        *ts |= (uint64_t)(unsigned char)bytes.data[i] << (8 * i);
    }
    buffer_free(&bytes);
    return decoded;
}

/* False: the reply says why the deployment cannot read this snapshot. */
static bool check_ts(const struct convex_deployment *deployment, const char *text, int64_t *ts,
                     struct convex_reply *reply) {
    uint64_t wanted;
    int64_t latest = deployment->store.latest;
    assert(latest >= 0);
    if (text == NULL) {
        return convex_reply_error(reply, 400, "BadJsonBody", "The body needs `ts`, a string.");
    }
    if (!decode_ts(text, &wanted) || wanted > (uint64_t)latest) {
        return convex_reply_internal(reply);
    }
    *ts = (int64_t)wanted;
    /* Out of retention: the backend's code is that of an internal error although the status is not. */
    return latest - *ts <= TRANSACTION_WINDOW ||
           convex_reply_error(reply, 503, "InternalServerError", "The snapshot is too old to be read.");
}

static void run_at(struct convex_deployment *deployment, struct convex_call *call, int64_t ts,
                   struct convex_reply *reply) {
    struct convex_context context;
    struct convex_value *value = NULL;
    struct error error = {0};
    convex_context_begin(&context, deployment, call->function, call->user);
    context.transaction.begin = ts;
    enum status status = convex_context_call(&context, call->function, call->args, &value, &error);
    convex_call_keep_log(deployment, call, &context.log);
    if (status == STATUS_OK) {
        convex_call_succeed(call, value, reply);
    } else {
        convex_call_fail(deployment, call, error.message, context.thrown, reply);
    }
    convex_free(value);
    convex_context_end(&context);
}

void convex_answer_query_at_ts(struct convex_deployment *deployment, const struct convex_request *request,
                               struct convex_reply *reply) {
    struct convex_call call = {0};
    json_t *body = NULL;
    int64_t ts = 0;
    if (convex_call_identify(deployment, request, &call, reply) &&
        convex_request_json(request, &body, reply) && convex_call_fill_json(deployment, body, &call, reply) &&
        check_ts(deployment, json_text(body, "ts"), &ts, reply) &&
        convex_call_check(deployment, &call, CONVEX_QUERY, reply)) {
        run_at(deployment, &call, ts, reply);
    }
    convex_call_free(&call);
    json_decref(body);
}
