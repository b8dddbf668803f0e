/* Test support: a client of the WebSocket sync protocol that says what a test tells it and keeps what it
 * hears, with everything random replaced: timestamps by "T0" (the initial one), "T1", .. in the order of
 * their first appearance, request ids of errors by "X". */
#ifndef TESTS_MOCK_CONVEX_SYNC_SCRIPT_H
#define TESTS_MOCK_CONVEX_SYNC_SCRIPT_H

#include "fixture.h"

#include "base/digest.h"

struct script {
    struct fixture *fixture;
    uint64_t socket;
    bool open;
    int closed;                                                           /* code; 0: not yet */
    int64_t heard_at;                                                     /* the newest message */
    struct buffer log;                                                    /* one line a message */
    struct map stamps;                                                    /* text -> index + 1 */
    size_t largest;                                                       /* bytes of the longest message */
    void (*hear)(struct script *script, const char *text, size_t length); /* instead of the log */
    void *context;
};

static inline enum status pets_named(struct convex_context *context, const struct convex_value *args,
                                     struct convex_value **result, struct error *error) {
    const struct convex_value *uuid = convex_object_get(args, "uuid");
    const struct convex_value **documents;
    size_t count;
    if (uuid == NULL) {
        return error_set(error, STATUS_INVALID, "uuid is missing");
    }
    enum status status = convex_find(context, "pets", "by_uuid", &uuid, 1, 10, &documents, &count, error);
    *result = convex_array();
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        convex_array_append(*result, convex_copy(convex_object_get(documents[i], "count")));
    }
    free(documents);
    return status;
}

static inline enum status pets_big(struct convex_context *context, const struct convex_value *args,
                                   struct convex_value **result, struct error *error) {
    struct buffer text = {0};
    (void)context;
    (void)error;
    size_t count = (size_t)convex_object_get(args, "count")->as.number;
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(&text, "\xc3\xa9"); /* two bytes, so that cuts could fall inside */
    }
    *result = convex_string(buffer_text(&text));
    buffer_free(&text);
    return STATUS_OK;
}

/* An action: one mutation, whose result is the action's. */
static inline enum status pets_act(struct convex_context *context, const struct convex_value *args,
                                   struct convex_value **result, struct error *error) {
    return convex_run_mutation(context, "pets:increment", args, result, error);
}

/* Throws data: `throw new ConvexError({why: 7n})`. */
static inline enum status pets_deny(struct convex_context *context, const struct convex_value *args,
                                    struct convex_value **result, struct error *error) {
    (void)args;
    (void)result;
    struct convex_value *data = convex_object();
    convex_object_set(data, "why", convex_int64(7));
    return convex_throw(context, data, error);
}

static const struct convex_function script_functions[] = {
    {.path = "pets:act", .kind = CONVEX_ACTION, .run = pets_act},
    {.path = "pets:deny", .kind = CONVEX_MUTATION, .run = pets_deny},
    {.path = "pets:denied", .kind = CONVEX_QUERY, .run = pets_deny},
    {.path = "pets:add", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:increment", .kind = CONVEX_MUTATION, .run = pets_increment},
    {.path = "pets:rename", .kind = CONVEX_MUTATION, .run = pets_rename},
    {.path = "pets:throw", .kind = CONVEX_MUTATION, .run = pets_throw},
    {.path = "pets:echo", .kind = CONVEX_MUTATION, .run = pets_echo},
    {.path = "pets:count", .kind = CONVEX_QUERY, .run = pets_count},
    {.path = "pets:named", .kind = CONVEX_QUERY, .run = pets_named},
    {.path = "pets:big", .kind = CONVEX_QUERY, .run = pets_big}};

static inline struct fixture *script_world(void) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.functions = script_functions;
    options.n_functions = LENGTH_OF(script_functions);
    fixture_deploy(fixture, &options);
    return fixture;
}

static inline const char *script_stamp(struct script *script, const char *text, char name[24]) {
    char key[13] = {0};
    memcpy(key, text, 12);
    if (!map_has(&script->stamps, key)) {
        map_set(&script->stamps, key, (void *)(uintptr_t)(script->stamps.count + 1));
    }
    snprintf(name, 24, "T%zu", (size_t)(uintptr_t)map_get(&script->stamps, key) - 1);
    return name;
}

static inline void script_keep(struct script *script, const char *text) {
    char name[24];
    for (const char *at = text; *at != 0;) {
        if (strncmp(at, "\"ts\":\"", 6) == 0) {
            buffer_printf(&script->log, "\"ts\":\"%s", script_stamp(script, at + 6, name));
            at += 18;
        } else if (strncmp(at, "Request ID: ", 12) == 0) {
            buffer_append_text(&script->log, "Request ID: X");
            at += 28;
        } else {
            buffer_append_char(&script->log, *at++);
        }
    }
    buffer_append_char(&script->log, '\n');
}

static inline void script_opened(void *context, uint64_t socket) {
    struct script *script = context;
    assert_int_equal(socket, script->socket);
    script->open = true;
}

static inline void script_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                                  size_t length) {
    struct script *script = context;
    (void)socket;
    assert_int_equal(kind, WEBSOCKET_TEXT);
    script->heard_at = world_now(script->fixture->world);
    script->largest = length > script->largest ? length : script->largest;
    if (script->hear != NULL) {
        script->hear(script, bytes, length);
    } else {
        script_keep(script, bytes);
    }
}

static inline void script_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct script *script = context;
    (void)socket;
    script->closed = code;
    script->open = false;
    buffer_printf(&script->log, "closed %d '%s'\n", code, reason);
}

static inline void script_connect(struct script *script, struct fixture *fixture, struct host *host,
                                  const char *target) {
    static const struct websocket_client_events events = {
        .opened = script_opened, .message = script_message, .closed = script_closed};
    const struct http_request request = {.authority = "convex", .method = "GET", .target = target};
    script->fixture = fixture;
    script->closed = 0;
    script->open = false;
    if (script->stamps.count == 0) {
        map_set(&script->stamps, "AAAAAAAAAAA=", (void *)(uintptr_t)1);
    }
    script->socket = host_websocket_connect(host, &request, &events, script);
}

static inline void script_say(struct script *script, struct host *host, const char *text) {
    host_websocket_send(host, script->socket, WEBSOCKET_TEXT, text, strlen(text));
}

static inline void script_free(struct script *script) {
    buffer_free(&script->log);
    map_free(&script->stamps, NULL);
}

#endif
