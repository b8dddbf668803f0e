/* `close`: the WebSocket is closed with a code and a reason, at the message that strikes or, without one,
 * when it opens. */
#include <stddef.h>
#include <string.h>

#include "fault/kind.h"

struct closing {
    int64_t code;
    const char *reason;
    bool deliver; /* the message first */
};

#define PLACE(member) offsetof(struct closing, member)
static const struct field fields[] = {
    {.key = "code", .kind = FIELD_COUNT, .offset = PLACE(code), .low = 0, .high = 4999},
    {.key = "reason", .kind = FIELD_TEXT, .offset = PLACE(reason)},
    {.key = "deliver", .kind = FIELD_BOOLEAN, .offset = PLACE(deliver)},
    {.key = NULL}};

static void prepare(void *parameters) {
    *(struct closing *)parameters = (struct closing){.code = 1011, .reason = ""};
}

/* Codes that a closing frame may hold (RFC 6455, 7.4); 0: a frame without one. */
static bool is_code(int64_t code) {
    return code == 0 || (code >= 1000 && code != 1004 && code != WEBSOCKET_NO_CODE &&
                         code != WEBSOCKET_ABNORMAL && code != 1015);
}

static enum status check(struct reader *reader, struct reader_value value, void *parameters) {
    const struct closing *closing = parameters;
    if (!is_code(closing->code))
        return reader_refuse(reader, value, "no closing frame may hold the code %lld",
                             (long long)closing->code);
    if (strlen(closing->reason) > WEBSOCKET_REASON_LIMIT)
        return reader_refuse(reader, value, "`reason` may have %d bytes", WEBSOCKET_REASON_LIMIT);
    if (closing->code == 0 && *closing->reason)
        return reader_refuse(reader, value, "a close without a code has no `reason`");
    return STATUS_OK;
}

static void pass(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct closing *closing = stage->parameters;
    bool opens = event->kind == FAULT_EVENT_ACCEPTED && !stage->rule->message;
    bool strikes = opens || (struck && stage->rule->message);
    if (stage->over)
        return;
    if (!strikes || opens || closing->deliver)
        fault_pass(stage, event);
    if (!strikes)
        return;
    stage->over = true;
    fault_pass(stage, &(struct fault_event){
                          .kind = FAULT_EVENT_CLOSE, .code = (int)closing->code, .reason = closing->reason});
    fault_leave_actor(stage, closing->code == 0 ? WEBSOCKET_NO_CODE : (int)closing->code, closing->reason);
}

const struct door_fault fault_close = {.name = "close",
                                       .summary = "the WebSocket is closed with a code and a reason",
                                       .requests = true,
                                       .messages = true,
                                       .size = sizeof(struct closing),
                                       .fields = fields,
                                       .prepare = prepare,
                                       .check = check,
                                       .pass = pass};
