/* `delay`: the request, or the message and what follows it in its direction, arrives later.
 * `delay-response`: the answer does. */
#include <stddef.h>

#include "fault/kind.h"

struct delay {
    struct reader_range time;
};

static const struct field fields[] = {{.key = "time",
                                       .kind = FIELD_DURATION_RANGE,
                                       .offset = offsetof(struct delay, time),
                                       .low = 1,
                                       .high = TIME_DAY},
                                      {.key = NULL}};

static enum status check(struct reader *reader, struct reader_value value, void *parameters) {
    if (((struct delay *)parameters)->time.low > 0)
        return STATUS_OK;
    return reader_refuse(reader, value, "`%s` needs a time: 2s, or a range of two", value.key);
}

static void pass(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct delay *delay = stage->parameters;
    if (struck)
        fault_hold(stage, event, fault_choose(stage, &delay->time));
    else if (event->kind != FAULT_EVENT_ACCEPTED && fault_holds(stage, event))
        fault_hold(stage, event, 0);
    else
        fault_pass(stage, event);
}

static void pass_response(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct delay *delay = stage->parameters;
    (void)struck;
    if (fault_event_is_inward(event) || event->kind == FAULT_EVENT_ACCEPTED)
        fault_pass(stage, event);
    else
        fault_hold(stage, event, event->kind == FAULT_EVENT_RESPOND ? fault_choose(stage, &delay->time) : 0);
}

const struct door_fault fault_delay = {.name = "delay",
                                       .summary = "the request or message arrives later",
                                       .requests = true,
                                       .messages = true,
                                       .size = sizeof(struct delay),
                                       .fields = fields,
                                       .alone = "time",
                                       .check = check,
                                       .pass = pass};
const struct door_fault fault_delay_response = {.name = "delay-response",
                                                .summary = "the answer arrives later",
                                                .requests = true,
                                                .size = sizeof(struct delay),
                                                .fields = fields,
                                                .alone = "time",
                                                .check = check,
                                                .pass = pass_response};
