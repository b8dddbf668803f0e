#include "mock-powersync/http/checkpoint_request.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

struct checkpoint_request {
    const struct checkpoint_request_environment *environment;
    uint64_t exchange;
    char *key;
    int64_t supplied;
    int64_t head;
    int64_t id; /* 0: not stored yet */
    bool marked;
    struct source_call *call;
    uint64_t timer;
};

static void fail(struct checkpoint_request *request, const char *details) {
    assert(!request->call && !request->timer);
    struct http_error error;
    http_error_set(&error, 500, "InternalServerError", "PSYNC_S2001", "Something went wrong");
    snprintf(error.details, sizeof error.details, "%.500s", details);
    http_respond_error(request->environment->host, request->exchange, &error);
    request->environment->ended(request->environment->context, request);
}

static void answer(struct checkpoint_request *request) {
    assert(request->id > 0 && request->marked);
    char json[100];
    snprintf(json, sizeof json, "{\"data\":{\"%s\":\"%" PRId64 "\"}}",
             request->supplied ? "checkpoint_request_id" : "write_checkpoint", request->id);
    http_respond_json(request->environment->host, request->exchange, 200, json);
    request->environment->ended(request->environment->context, request);
}

static void on_marker(void *context, const struct source_reply *reply);
static void reach_mapping(struct checkpoint_request *request);

static void mark(struct checkpoint_request *request) {
    request->call = source_mark(request->environment->source, on_marker, request);
}

static void store_mapping(void *context) {
    struct checkpoint_request *request = context;
    request->timer = 0;
    assert(request->id == 0 && !request->call);
    struct write_checkpoints *checkpoints = request->environment->write_checkpoints;
    int64_t now = host_wall_clock(request->environment->host);
    request->id = request->supplied ? write_checkpoints_supply(checkpoints, request->key, request->supplied,
                                                               request->head, now)
                                    : write_checkpoints_next(checkpoints, request->key, request->head, now);
    if (request->marked)
        answer(request);
    else
        mark(request);
}

static void reach_mapping(struct checkpoint_request *request) {
    struct fault_point fault = host_fault_point(request->environment->host, "service.before-mapping");
    if (fault.action == FAULT_ERROR)
        fail(request, "storage failed before the mapping was stored");
    else if (fault.action == FAULT_DELAY)
        request->timer = host_timer_set(request->environment->host, fault.delay, store_mapping, request);
    else
        store_mapping(request);
}

/* A marker that answers 200 counts as set, whatever the answer says, as in the real service. */
static void on_marker(void *context, const struct source_reply *reply) {
    struct checkpoint_request *request = context;
    request->call = NULL;
    request->marked = reply->failure == NULL;
    if (!request->marked)
        fail(request, reply->failure->message);
    else if (request->id > 0)
        answer(request);
    else
        reach_mapping(request);
}

static void on_head(void *context, const struct source_reply *reply) {
    struct checkpoint_request *request = context;
    request->call = NULL;
    if (reply->failure) {
        fail(request, reply->failure->message);
        return;
    }
    request->head = reply->position;
    if (host_mutant(request->environment->host, "ack-before-mapping"))
        mark(request);
    else
        reach_mapping(request);
}

struct checkpoint_request *checkpoint_request_create(const struct checkpoint_request_environment *environment,
                                                     uint64_t exchange, const char *key, int64_t supplied) {
    assert(environment && key && supplied >= 0);
    struct checkpoint_request *request = memory_allocate(sizeof *request);
    request->environment = environment;
    request->exchange = exchange;
    request->key = memory_copy_text(key);
    request->supplied = supplied;
    request->call = source_head(environment->source, on_head, request);
    return request;
}

void checkpoint_request_destroy(struct checkpoint_request *request) {
    if (!request)
        return;
    source_cancel(request->call);
    host_timer_cancel(request->environment->host, request->timer);
    free(request->key);
    free(request);
}

uint64_t checkpoint_request_exchange(const struct checkpoint_request *request) {
    return request->exchange;
}
