/* one-poll: each process of the service that reads the deployment's changes has one request for them under
 * way at most, however long the answer takes. Two at once could be answered in the wrong order. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"

struct reader_state {
    uint64_t exchange; /* under way; 0: none */
};

struct polls {
    struct checker *checker;
    struct map readers; /* node -> struct reader_state */
};

static bool begins(const struct wire_event *event, const char *beginning) {
    return event->target != NULL && strncmp(event->target, beginning, strlen(beginning)) == 0;
}

/* Replication begins with it, also in a process that has just started: what its predecessor had under way
 * went with it. */
static bool is_beginning(const struct wire_event *event) {
    return event->kind == WIRE_REQUEST && begins(event, "GET /api/json_schemas");
}

static struct reader_state *open_reader(struct polls *polls, const char *node) {
    struct reader_state *reader = map_get(&polls->readers, node);
    if (reader == NULL) {
        reader = memory_allocate(sizeof *reader);
        map_set(&polls->readers, node, reader);
    }
    return reader;
}

static void report(const struct polls *polls, const char *node, int64_t now) {
    const struct violation violation = {
        .property = property_one_poll.name,
        .client = node,
        .table = "",
        .row = "",
        .expected = memory_copy_text("the answer to the poll before it"),
        .seen = memory_copy_text("a second poll"),
        .time = now,
        .explanation = memory_format("%s asks for changes while it still waits for the last ones.", node)};
    checker_report(polls->checker, &violation);
}

static bool is_over(enum wire_kind kind) {
    return kind == WIRE_END_SEEN || kind == WIRE_FAILED || kind == WIRE_ABORTED;
}

static void wire(void *self, int64_t now, const struct wire_event *event) {
    struct polls *polls = self;
    const bool beginning = is_beginning(event);
    if (event->client == NULL || (!beginning && !begins(event, "GET /api/document_deltas")))
        return;
    struct reader_state *reader = open_reader(polls, event->client);
    if (beginning) {
        reader->exchange = 0;
    } else if (event->kind == WIRE_REQUEST) {
        if (reader->exchange != 0)
            report(polls, event->client, now);
        reader->exchange = event->exchange;
    } else if (is_over(event->kind) && reader->exchange == event->exchange) {
        reader->exchange = 0;
    }
}

static void *create(struct checker *checker) {
    struct polls *polls = memory_allocate(sizeof *polls);
    polls->checker = checker;
    return polls;
}

static void destroy(void *self) {
    struct polls *polls = self;
    map_free(&polls->readers, free);
    free(polls);
}

const struct property property_one_poll = {
    .name = "one-poll",
    .promise = "the service never asks the deployment for changes twice at once",
    .create = create,
    .wire = wire,
    .destroy = destroy,
};
