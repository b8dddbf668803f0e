/* `truncate`: the connection breaks after so many bytes of the answer's body.
 * `slow`: the body comes in pieces, with a pause before each. */
#include <stddef.h>

#include "fault/kind.h"

struct truncate {
    int64_t bytes;
};

struct slow {
    int64_t bytes;
    int64_t every; /* ns */
};

enum { BODY_MOST = 1 << 30 };

/* The bytes leave before the connection breaks: nobody could tell it from a reset before the answer. */
static const int64_t break_delay = 10 * TIME_MILLISECOND;

static const struct field truncate_fields[] = {
    {.key = "bytes", .kind = FIELD_COUNT, .offset = offsetof(struct truncate, bytes), .high = BODY_MOST},
    {.key = NULL}};
static const struct field slow_fields[] = {{.key = "bytes",
                                            .kind = FIELD_COUNT,
                                            .offset = offsetof(struct slow, bytes),
                                            .low = 1,
                                            .high = BODY_MOST},
                                           {.key = "every",
                                            .kind = FIELD_DURATION,
                                            .offset = offsetof(struct slow, every),
                                            .low = TIME_MICROSECOND,
                                            .high = TIME_HOUR},
                                           {.key = NULL}};

static void prepare_slow(void *parameters) {
    *(struct slow *)parameters = (struct slow){.bytes = 1024, .every = 100 * TIME_MILLISECOND};
}

static void cut_off(struct fault_stage *stage) {
    stage->over = true;
    fault_hold(stage, &(struct fault_event){.kind = FAULT_EVENT_RESET}, break_delay);
    fault_leave_actor(stage, WEBSOCKET_ABNORMAL, "");
}

static void pass_truncate(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct truncate *truncate = stage->parameters;
    (void)struck;
    if (stage->over && !fault_event_is_inward(event))
        return;
    if (event->kind != FAULT_EVENT_WRITE) {
        fault_pass(stage, event);
        return;
    }
    struct fault_event part = *event;
    uint64_t left = (uint64_t)truncate->bytes - stage->passed;
    part.length = event->length < left ? event->length : (size_t)left;
    stage->passed += part.length;
    if (part.length > 0)
        fault_pass(stage, &part);
    if (part.length < event->length)
        cut_off(stage);
}

static void pass_slow(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct slow *slow = stage->parameters;
    (void)struck;
    if (event->kind != FAULT_EVENT_WRITE) {
        if (fault_holds(stage, event))
            fault_hold(stage, event, 0);
        else
            fault_pass(stage, event);
        return;
    }
    for (size_t at = 0; at < event->length; at += (size_t)slow->bytes) {
        struct fault_event piece = *event;
        piece.bytes = (const char *)event->bytes + at;
        piece.length = event->length - at < (size_t)slow->bytes ? event->length - at : (size_t)slow->bytes;
        fault_hold(stage, &piece, (int64_t)(at / (size_t)slow->bytes + 1) * slow->every);
    }
}

const struct door_fault fault_truncate = {.name = "truncate",
                                          .summary = "the connection breaks after so many bytes of the body",
                                          .requests = true,
                                          .size = sizeof(struct truncate),
                                          .fields = truncate_fields,
                                          .alone = "bytes",
                                          .pass = pass_truncate};
const struct door_fault fault_slow = {.name = "slow",
                                      .summary = "the body comes in pieces, with a pause before each",
                                      .requests = true,
                                      .size = sizeof(struct slow),
                                      .fields = slow_fields,
                                      .prepare = prepare_slow,
                                      .pass = pass_slow};
