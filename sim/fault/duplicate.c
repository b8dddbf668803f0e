/* `duplicate`: the server gets the request or message twice. The copy of a request comes first and its answer
 * goes nowhere: to the peer all looks as usual. */
#include "fault/kind.h"

static void pass(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    if (struck) {
        struct fault_event copy = *event;
        copy.echo = event->kind == FAULT_EVENT_REQUEST;
        fault_pass(stage, &copy);
    }
    fault_pass(stage, event);
}

const struct door_fault fault_duplicate = {.name = "duplicate",
                                           .summary = "the request or message is processed twice",
                                           .requests = true,
                                           .messages = true,
                                           .pass = pass};
