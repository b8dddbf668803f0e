/* `reset`: the connection breaks before the server has seen the request or message.
 * `lose-response`: the server does what it was asked, and the connection breaks in place of the answer. */
#include "fault/kind.h"

static void pass_reset(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    if (struck) {
        stage->over = true;
        fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_RESET});
        fault_leave_actor(stage, WEBSOCKET_ABNORMAL, "");
    } else if (!stage->over) {
        fault_pass(stage, event);
    }
}

static void pass_lose(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    (void)struck;
    if (stage->over && !fault_event_is_inward(event))
        return;
    if (event->kind != FAULT_EVENT_RESPOND) {
        fault_pass(stage, event);
        return;
    }
    stage->over = true;
    fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_RESET});
    fault_leave_actor(stage, WEBSOCKET_ABNORMAL, ""); /* if it goes on writing */
}

const struct door_fault fault_reset = {.name = "reset",
                                       .summary = "the connection breaks before the server sees it",
                                       .requests = true,
                                       .messages = true,
                                       .pass = pass_reset};
const struct door_fault fault_lose_response = {.name = "lose-response",
                                               .summary = "the server does it, the answer never arrives",
                                               .requests = true,
                                               .pass = pass_lose};
