#include "mock-convex/function/function_routes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/function/action.h"
#include "mock-convex/function/function_api.h"
#include "mock-convex/function/mutation.h"
#include "mock-convex/function/run_now.h"
#include "mock-convex/http/auth.h"

/* Run a call of a query and decide its reply. */
static void run(struct convex_deployment *deployment, struct convex_call *call, struct convex_reply *reply) {
    struct convex_log log = {0};
    struct convex_value *value = NULL, *thrown = NULL;
    struct error error = {0};
    assert(call->function->kind == CONVEX_QUERY);
    enum status status =
        convex_run_now(deployment, call->function, call->user, call->args, &value, &thrown, &log, &error);
    convex_call_keep_log(deployment, call, &log);
    if (status == STATUS_OK) {
        convex_call_succeed(call, value, reply);
    } else {
        convex_call_fail(deployment, call, error.message, thrown, reply);
    }
    convex_free(value);
    convex_free(thrown);
}

/* --- GET and POST /api/query --- */

/* False: 400 BadQueryArgs. `args` is JSON text in the query string. */
static bool decode_query_string(struct convex_deployment *deployment, const struct convex_query *query,
                                struct convex_call *call, struct convex_reply *reply) {
    static const char *const names[] = {"path", "args", "format"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (convex_query_count(query, names[i]) > 1) {
            return convex_reply_error(reply, 400, "BadQueryArgs", "`%s` is given twice.", names[i]);
        }
    }
    const char *text = convex_query_get(query, "args"), *format = convex_query_get(query, "format");
    json_t *args = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    json_t *format_json = format != NULL ? json_string(format) : NULL;
    bool filled = convex_call_fill(deployment, convex_query_get(query, "path"), args, format_json,
                                   "BadQueryArgs", call, reply);
    json_decref(args);
    json_decref(format_json);
    return filled;
}

static bool decode_get(struct convex_deployment *deployment, const struct convex_request *request,
                       struct convex_call *call, struct convex_reply *reply) {
    memset(call, 0, sizeof *call);
    return decode_query_string(deployment, &request->query, call, reply) &&
           convex_call_identify(deployment, request, call, reply);
}

void convex_answer_query(struct convex_deployment *deployment, const struct convex_request *request,
                         struct convex_reply *reply) {
    struct convex_call call;
    bool is_get = strcmp(request->http->method, "GET") == 0;
    if ((is_get ? decode_get(deployment, request, &call, reply)
                : convex_call_decode(deployment, request, &call, reply)) &&
        convex_call_check(deployment, &call, CONVEX_QUERY, reply)) {
        run(deployment, &call, reply);
    }
    convex_call_free(&call);
}

/* --- several queries, and queries of the past --- */

/* False: the reply is an error of the whole batch, not one function's. */
static bool append_batch_item(struct convex_deployment *deployment, const struct convex_request *request,
                              const json_t *item, struct buffer *out, struct convex_reply *reply) {
    struct convex_call call = {0};
    if (convex_call_identify(deployment, request, &call, reply) &&
        convex_call_fill_json(deployment, item, &call, reply) &&
        convex_call_check(deployment, &call, CONVEX_QUERY, reply)) {
        run(deployment, &call, reply);
    }
    convex_call_free(&call);
    if (reply->status != 200) {
        return false;
    }
    buffer_append(out, reply->body.data, reply->body.length);
    convex_reply_free(reply);
    return true;
}

/* Nothing commits between the queries, so that each sees the newest snapshot and it is the same. */
static bool append_batch(struct convex_deployment *deployment, const struct convex_request *request,
                         const json_t *queries, struct buffer *out, struct convex_reply *reply) {
    int64_t snapshot = deployment->store.latest;
    for (size_t i = 0; i < json_array_size(queries); i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        if (!append_batch_item(deployment, request, json_array_get(queries, i), out, reply)) {
            return false;
        }
        assert(deployment->store.latest == snapshot);
    }
    return true;
}

void convex_answer_query_batch(struct convex_deployment *deployment, const struct convex_request *request,
                               struct convex_reply *reply) {
    struct convex_caller caller;
    json_t *body = NULL;
    struct buffer results = {0};
    if (!convex_auth_identify(deployment->auth, request, &caller, reply) ||
        !convex_request_json(request, &body, reply)) {
        return;
    }
    const json_t *queries = json_object_get(body, "queries");
    if (!json_is_array(queries)) {
        convex_reply_error(reply, 400, "BadJsonBody", "The body needs `queries`, an array.");
    } else if (append_batch(deployment, request, queries, &results, reply)) {
        reply->status = 200;
        buffer_append_text(&reply->body, "{\"results\":[");
        buffer_append(&reply->body, results.data, results.length);
        buffer_append_text(&reply->body, "]}");
    }
    buffer_free(&results);
    json_decref(body);
}

/* --- calls that may be mutations --- */

/* Reads the body of /api/function or /api/run/..: the path of the latter stands in the URL. */
static bool fill_run(struct convex_deployment *deployment, const struct convex_request *request,
                     const json_t *body, struct convex_call *call, struct convex_reply *reply) {
    const char *rest = request->path + strlen(CONVEX_RUN_PREFIX);
    const char *slash = strrchr(rest, '/');
    if (slash == NULL) {
        return convex_reply_error(reply, 400, "MissingIdentifier",
                                  "The address needs a module and a function name.");
    }
    char *path = memory_format("%.*s:%s", (int)(slash - rest), rest, slash + 1);
    bool filled = convex_call_fill(deployment, path, json_object_get(body, "args"),
                                   json_object_get(body, "format"), "BadJsonBody", call, reply);
    free(path);
    return filled;
}

static bool fill_function(struct convex_deployment *deployment, const json_t *body, struct convex_call *call,
                          struct convex_reply *reply) {
    const json_t *component = json_object_get(body, "componentPath");
    if (component != NULL && !json_is_null(component) && !json_is_string(component)) {
        return convex_reply_error(reply, 400, "BadJsonBody", "`componentPath` must be a string.");
    }
    call->component = memory_copy_text(json_string_value(component));
    return convex_call_fill_json(deployment, body, call, reply);
}

static bool decode_any(struct convex_deployment *deployment, const struct convex_request *request,
                       struct convex_call *call, struct convex_reply *reply) {
    json_t *body = NULL;
    bool is_run = strncmp(request->path, CONVEX_RUN_PREFIX, strlen(CONVEX_RUN_PREFIX)) == 0;
    memset(call, 0, sizeof *call);
    if (!convex_call_identify(deployment, request, call, reply)) {
        return false;
    }
    if (!is_run && call->identity != CONVEX_ADMIN) {
        return convex_reply_error(reply, 403, "BadDeployKey", "This needs the deploy key.");
    }
    bool decoded = convex_request_json(request, &body, reply) &&
                   (is_run ? fill_run(deployment, request, body, call, reply)
                           : fill_function(deployment, body, call, reply));
    json_decref(body);
    if (is_run) {
        call->usual_format = CONVEX_FORMAT_JSON; /* whatever the client is */
    }
    return decoded;
}

bool convex_function_start(struct convex_deployment *deployment, uint64_t exchange,
                           const struct convex_request *request, struct convex_reply *reply) {
    struct convex_call call;
    bool is_mutation = strcmp(request->path, "/api/mutation") == 0;
    bool is_action = strcmp(request->path, "/api/action") == 0;
    bool decoded = is_mutation || is_action ? convex_call_decode(deployment, request, &call, reply)
                                            : decode_any(deployment, request, &call, reply);
    enum convex_function_kind kind = is_action                              ? CONVEX_ACTION
                                     : is_mutation || call.function == NULL ? CONVEX_MUTATION
                                                                            : call.function->kind;
    if (kind == CONVEX_HTTP_ACTION) { /* only its route leads to it */
        kind = CONVEX_MUTATION;
    }
    if (decoded && convex_call_check(deployment, &call, kind, reply)) {
        if (kind == CONVEX_MUTATION) {
            convex_mutation_start(deployment, exchange, &call);
            return true;
        }
        if (kind == CONVEX_ACTION) {
            convex_action_call(deployment, exchange, &call);
            return true;
        }
        run(deployment, &call, reply);
    }
    convex_call_free(&call);
    return false;
}
