/* `fatal-error`, `auth-error`: the client of a sync socket is told so, in place of the message that strikes
 * or at the opening, and the socket closes without a code, as Convex does it. */
#include <stddef.h>

#include "base/buffer.h"
#include "fault/kind.h"

struct saying {
    const char *text;
    bool update_attempted;
};

#define PLACE(member) offsetof(struct saying, member)
static const struct field fatal_fields[] = {{.key = "text", .kind = FIELD_TEXT, .offset = PLACE(text)},
                                            {.key = NULL}};
static const struct field auth_fields[] = {
    {.key = "text", .kind = FIELD_TEXT, .offset = PLACE(text)},
    {.key = "update-attempted", .kind = FIELD_BOOLEAN, .offset = PLACE(update_attempted)},
    {.key = NULL}};

static void prepare(void *parameters) {
    *(struct saying *)parameters = (struct saying){.text = "injected fault"};
}

static void say(struct fault_stage *stage, const char *type, const char *rest) {
    const struct saying *saying = stage->parameters;
    struct buffer text = {0};
    stage->over = true;
    buffer_printf(&text, "{\"type\":\"%s\",\"error\":", type);
    buffer_append_json_text(&text, saying->text);
    buffer_append_text(&text, rest);
    fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_SEND,
                                            .message = WEBSOCKET_TEXT,
                                            .bytes = text.data,
                                            .length = text.length});
    buffer_free(&text);
    fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_CLOSE, .reason = ""});
    fault_leave_actor(stage, WEBSOCKET_NO_CODE, "");
}

/* True: now is the time to speak. What is not about it is passed on. */
static bool is_time(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    bool opens = event->kind == FAULT_EVENT_ACCEPTED && !stage->rule->message;
    bool strikes = opens || (struck && stage->rule->message);
    if (!stage->over && (!strikes || opens))
        fault_pass(stage, event);
    return !stage->over && strikes;
}

static void pass_fatal(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    if (is_time(stage, event, struck))
        say(stage, "FatalError", "}");
}

static void pass_auth(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct saying *saying = stage->parameters;
    if (is_time(stage, event, struck))
        say(stage, "AuthError",
            saying->update_attempted ? ",\"baseVersion\":null,\"authUpdateAttempted\":true}"
                                     : ",\"baseVersion\":null,\"authUpdateAttempted\":false}");
}

const struct door_fault fault_fatal_error = {.name = "fatal-error",
                                             .summary = "a FatalError message, then the WebSocket closes",
                                             .requests = true,
                                             .messages = true,
                                             .size = sizeof(struct saying),
                                             .fields = fatal_fields,
                                             .alone = "text",
                                             .prepare = prepare,
                                             .pass = pass_fatal};
const struct door_fault fault_auth_error = {.name = "auth-error",
                                            .summary = "an AuthError message, then the WebSocket closes",
                                            .requests = true,
                                            .messages = true,
                                            .size = sizeof(struct saying),
                                            .fields = auth_fields,
                                            .alone = "text",
                                            .prepare = prepare,
                                            .pass = pass_auth};
