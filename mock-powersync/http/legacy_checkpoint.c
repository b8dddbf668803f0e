#include "mock-powersync/http/legacy_checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mock-powersync/http/route.h"
#include "mock-powersync/service_internal.h"

#define LOOK_EVERY (30 * TIME_MILLISECOND)
#define WAIT_MOST (50 * TIME_SECOND)

struct legacy_checkpoint {
    struct route_call *call;
    int64_t started; /* virtual time, ns */
    int64_t head;
    struct source_call *source_call;
    uint64_t timer;
};

static void stop(void *work) {
    struct legacy_checkpoint *legacy = work;
    source_cancel(legacy->source_call);
    host_timer_cancel(legacy->call->service->host, legacy->timer);
    free(legacy);
}

/* The last thing that it does: who answers goes. */
static struct route_call *leave(struct legacy_checkpoint *legacy) {
    struct route_call *call = legacy->call;
    assert(!legacy->source_call && !legacy->timer);
    free(legacy);
    return call;
}

static void look(void *context) {
    struct legacy_checkpoint *legacy = context;
    struct powersync_service *service = legacy->call->service;
    const struct replication_stream *stream = storage_serving(service->storage);
    legacy->timer = 0;
    if (!stream) {
        route_call_fail(leave(legacy), "No sync config available");
    } else if (stream->buckets->lsn >= legacy->head) {
        struct buffer json = {0};
        buffer_printf(&json, "{\"checkpoint\":\"%" PRIu64 "\"}", stream->buckets->checkpoint);
        route_call_answer_data(leave(legacy), &json);
        buffer_free(&json);
    } else if (host_now(service->host) - legacy->started >= WAIT_MOST) {
        route_call_fail(leave(legacy), "Timeout while waiting for checkpoint");
    } else {
        legacy->timer = host_timer_set(service->host, LOOK_EVERY, look, legacy);
    }
}

static void on_marker(void *context, const struct source_reply *reply) {
    struct legacy_checkpoint *legacy = context;
    legacy->source_call = NULL;
    if (reply->failure)
        route_call_fail(leave(legacy), reply->failure->message);
    else
        look(legacy);
}

static void on_head(void *context, const struct source_reply *reply) {
    struct legacy_checkpoint *legacy = context;
    legacy->source_call = NULL;
    legacy->head = reply->position;
    if (reply->failure)
        route_call_fail(leave(legacy), reply->failure->message);
    else
        legacy->source_call = source_mark(legacy->call->service->source, on_marker, legacy);
}

void legacy_checkpoint_start(struct route_call *call) {
    struct legacy_checkpoint *legacy = memory_allocate(sizeof *legacy);
    *legacy = (struct legacy_checkpoint){.call = call, .started = host_now(call->service->host)};
    route_call_work(call, legacy, stop);
    legacy->source_call = source_head(call->service->source, on_head, legacy);
}
