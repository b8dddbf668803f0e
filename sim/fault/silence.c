/* `silence`: from the message on that strikes, or from the opening on, nothing passes either way and the
 * WebSocket stays open: a half-open connection. It breaks when the faults of a simulated world end.
 * `swallow`: only the message that strikes never arrives. */
#include "fault/kind.h"

static bool tells_end(const struct fault_event *event) {
    return event->kind == FAULT_EVENT_GONE || event->kind == FAULT_EVENT_CLOSED;
}

static void pass_silence(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    if (struck && stage->rule->message)
        stage->over = true;
    if (!stage->over || tells_end(event))
        fault_pass(stage, event);
    if (event->kind == FAULT_EVENT_ACCEPTED && !stage->rule->message)
        stage->over = true;
}

static void heal(struct fault_stage *stage) {
    if (!stage->over)
        return;
    fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_RESET});
    fault_leave_actor(stage, WEBSOCKET_ABNORMAL, "");
}

static void pass_swallow(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    if (!struck)
        fault_pass(stage, event);
}

const struct door_fault fault_silence = {.name = "silence",
                                         .summary = "nothing passes any more, the WebSocket stays open",
                                         .requests = true,
                                         .messages = true,
                                         .pass = pass_silence,
                                         .heal = heal};
const struct door_fault fault_swallow = {
    .name = "swallow", .summary = "the message never arrives", .messages = true, .pass = pass_swallow};
