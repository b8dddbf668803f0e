#include "mock-convex/function/function_api.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/function/client_format.h"
#include "mock-convex/store/component.h"
#include "mock-convex/value/name.h"
#include "mock-convex/value/utf8.h"

#define ARGS_SIZE_MAX ((size_t)16 << 20)
#define REQUEST_ID_MOST 128 /* bytes */

void convex_call_free(struct convex_call *call) {
    free(call->path);
    free(call->component);
    free(call->format);
    free(call->origin);
    free(call->request_id);
    free(call->unusable);
    convex_free(call->args);
    convex_free(call->user);
    convex_log_free(&call->log);
    memset(call, 0, sizeof *call);
}

/* An object, or an array with the object as its only item. What is wrong with it shows only when the function
 * would run: it is the caller's error, answered with 200. */
static void decode_args(struct convex_call *call, const json_t *json) {
    struct error error = {0};
    if (json_is_array(json) && json_array_size(json) == 1) {
        json = json_array_get(json, 0);
    }
    if (!json_is_object(json)) {
        error_set(&error, STATUS_INVALID, "ArgumentValidationError: expected one object of arguments");
    } else if (convex_from_json(json, &call->args, &error) != STATUS_OK) {
        error_prefix(&error, "ArgumentValidationError");
    } else if (call->args->kind != CONVEX_OBJECT) { /* {"$integer": ..} as the arguments */
        error_set(&error, STATUS_INVALID, "ArgumentValidationError: expected an object");
    } else if (convex_size(call->args) > ARGS_SIZE_MAX) {
        error_set(&error, STATUS_INVALID, "the arguments have more than 16 MiB");
    }
    if (error.status != STATUS_OK) {
        convex_free(call->args);
        call->args = NULL;
        call->unusable = memory_copy_text(error.message);
    }
}

void convex_call_resolve(const struct convex_deployment *deployment, struct convex_call *call) {
    char *name = convex_component_name(call->component, call->path);
    call->function = map_get(&deployment->functions, name);
    free(name);
}

bool convex_call_read(struct convex_deployment *deployment, const char *path, const json_t *args,
                      struct convex_call *call) {
    call->path = convex_path_canonical(path);
    if (call->path == NULL) {
        return false;
    }
    convex_call_resolve(deployment, call);
    decode_args(call, args);
    return true;
}

bool convex_call_fill(struct convex_deployment *deployment, const char *path, const json_t *args,
                      const json_t *format, const char *code, struct convex_call *call,
                      struct convex_reply *reply) {
    assert(code != NULL && call->path == NULL);
    if (path == NULL) {
        return convex_reply_error(reply, 400, code, "The request needs `path`, a string.");
    }
    if (!json_is_object(args) && !json_is_array(args)) {
        return convex_reply_error(reply, 400, code, "The request needs `args`, an object or an array.");
    }
    if (format != NULL && !json_is_string(format) && !json_is_null(format)) {
        return convex_reply_error(reply, 400, code, "`format` must be a string.");
    }
    if (!convex_call_read(deployment, path, args, call)) {
        return convex_reply_error(reply, 400, "BadConvexFunctionIdentifier",
                                  "\"%.200s\" is no function path.", path);
    }
    call->format = memory_copy_text(json_string_value(format));
    return true;
}

bool convex_call_fill_json(struct convex_deployment *deployment, const json_t *body, struct convex_call *call,
                           struct convex_reply *reply) {
    return convex_call_fill(deployment, json_text(body, "path"), json_object_get(body, "args"),
                            json_object_get(body, "format"), "BadJsonBody", call, reply);
}

/* The caller's name for what it asks; anything but a short plain text is not taken. */
static char *read_request_id(const struct convex_request *request) {
    const char *id = convex_request_header(request, "convex-request-id");
    size_t length = id != NULL ? strlen(id) : 0;
    for (size_t i = 0; i < length; i++) {
        if (id[i] <= ' ' || id[i] > '~') {
            return NULL;
        }
    }
    return length > 0 && length <= REQUEST_ID_MOST ? memory_copy_text(id) : NULL;
}

bool convex_call_identify(struct convex_deployment *deployment, const struct convex_request *request,
                          struct convex_call *call, struct convex_reply *reply) {
    struct convex_caller caller;
    assert(call->user == NULL && call->origin == NULL && call->request_id == NULL);
    call->origin = memory_copy_text(convex_request_header(request, "origin"));
    call->request_id = read_request_id(request);
    call->usual_format = convex_client_format(convex_request_header(request, "convex-client"));
    if (!convex_auth_identify(deployment->auth, request, &caller, reply)) {
        return false;
    }
    call->identity = caller.identity;
    call->read_only = caller.read_only;
    call->user = caller.user != NULL ? convex_copy(caller.user) : NULL;
    return true;
}

bool convex_call_decode(struct convex_deployment *deployment, const struct convex_request *request,
                        struct convex_call *call, struct convex_reply *reply) {
    json_t *body = NULL;
    memset(call, 0, sizeof *call);
    bool decoded = convex_call_identify(deployment, request, call, reply) &&
                   convex_request_json(request, &body, reply) &&
                   convex_call_fill_json(deployment, body, call, reply);
    json_decref(body);
    return decoded;
}

static bool is_admin(const struct convex_call *call) {
    return call->identity == CONVEX_ADMIN || call->identity == CONVEX_ACTING;
}

const char *convex_call_refusal(const struct convex_call *call, enum convex_function_kind kind,
                                char message[512]) {
    static const char *const names[] = {
        [CONVEX_QUERY] = "query", [CONVEX_MUTATION] = "mutation", [CONVEX_ACTION] = "action"};
    assert(kind != CONVEX_HTTP_ACTION);
    if (call->function == NULL || (call->function->internal && !is_admin(call)) ||
        call->function->kind == CONVEX_HTTP_ACTION) {
        snprintf(message, 512, "Could not find the public function '%.300s'.", call->path);
    } else if (call->function->kind != kind) {
        snprintf(message, 512, "'%.300s' is not %s %s.", call->path, kind == CONVEX_ACTION ? "an" : "a",
                 names[kind]);
    } else if (call->args == NULL) {
        snprintf(message, 512, "%.500s", call->unusable);
    } else {
        return NULL;
    }
    return message;
}

bool convex_call_check(struct convex_deployment *deployment, const struct convex_call *call,
                       enum convex_function_kind kind, struct convex_reply *reply) {
    char message[512];
    const struct convex_caller caller = {.read_only = call->read_only};
    if (kind != CONVEX_QUERY && !convex_auth_may_write(&caller, reply)) {
        return false;
    }
    if (convex_call_refusal(call, kind, message) == NULL) {
        return true;
    }
    convex_call_fail(deployment, call, message, NULL, reply);
    return false;
}

static bool decide_format(const struct convex_call *call, enum convex_format *format,
                          struct convex_reply *reply) {
    *format = call->usual_format;
    return call->format == NULL || convex_format_parse(call->format, format) == STATUS_OK ||
           convex_reply_error(reply, 400, "BadFormat", "There is no value format \"%.100s\".", call->format);
}

void convex_call_keep_log(const struct convex_deployment *deployment, struct convex_call *call,
                          struct convex_log *log) {
    convex_log_take(&call->log, log);
    if (deployment->redacts) {
        convex_log_free(&call->log);
    }
}

/* ,"logLines":[..]} and the end of the reply. */
static void end_reply(const struct convex_call *call, struct convex_reply *reply) {
    if (call->log.count > 0) {
        buffer_append_text(&reply->body, ",\"logLines\":");
        convex_log_append_json(&reply->body, &call->log);
    }
    buffer_append_char(&reply->body, '}');
}

void convex_call_succeed(const struct convex_call *call, const struct convex_value *value,
                         struct convex_reply *reply) {
    enum convex_format format;
    assert(value != NULL);
    if (decide_format(call, &format, reply)) {
        reply->status = 200;
        buffer_append_text(&reply->body, "{\"status\":\"success\",\"value\":");
        convex_append_json(&reply->body, value, format);
        end_reply(call, reply);
    }
}

static void note_failure(struct convex_deployment *deployment, const struct convex_call *call,
                         const char *message) {
    char *text = memory_format("%s: %s", call->path, message);
    const struct note note = {.kind = NOTE_TEXT, .text = text};
    host_note(deployment->host, &note);
    free(text);
}

static void append_failure(struct convex_deployment *deployment, const struct convex_call *call,
                           const char *message, const struct convex_value *thrown, struct buffer *text) {
    if (call->request_id != NULL) {
        buffer_printf(text, "[Request ID: %s] ", call->request_id);
    } else {
        buffer_printf(text, "[Request ID: %016" PRIx64 "] ",
                      host_random(deployment->host, "convex.request-id"));
    }
    convex_call_append_words(deployment, message, thrown, text);
}

void convex_call_append_words(const struct convex_deployment *deployment, const char *message,
                              const struct convex_value *thrown, struct buffer *text) {
    buffer_append_text(text, "Server Error");
    if (!deployment->redacts) {
        buffer_printf(text, "\nUncaught %s: %s", thrown != NULL ? "ConvexError" : "Error", message);
    }
}

void convex_call_failure(struct convex_deployment *deployment, const struct convex_call *call,
                         const char *message, const struct convex_value *thrown, struct buffer *text) {
    note_failure(deployment, call, message);
    append_failure(deployment, call, message, thrown, text);
}

void convex_call_fail(struct convex_deployment *deployment, const struct convex_call *call,
                      const char *message, const struct convex_value *thrown, struct convex_reply *reply) {
    enum convex_format format;
    struct buffer text = {0};
    note_failure(deployment, call, message);
    if (decide_format(call, &format, reply)) {
        append_failure(deployment, call, message, thrown, &text);
        reply->status = 200;
        buffer_append_text(&reply->body, "{\"status\":\"error\",\"errorMessage\":");
        convex_utf8_append_json(&reply->body, buffer_text(&text));
        if (thrown != NULL) {
            buffer_append_text(&reply->body, ",\"errorData\":");
            convex_append_json(&reply->body, thrown, format);
        }
        end_reply(call, reply);
    }
    buffer_free(&text);
}
