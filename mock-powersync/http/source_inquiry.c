#include "mock-powersync/http/source_inquiry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/service_internal.h"

struct source_inquiry {
    struct route_call *call;
    void (*answer)(struct route_call *, const struct source_findings *);
    struct source_call *source_call;
    json_t *problems;
};

static void stop(void *work) {
    struct source_inquiry *inquiry = work;
    source_cancel(inquiry->source_call);
    json_decref(inquiry->problems);
    free(inquiry);
}

static void on_schema(void *context, const struct source_reply *reply) {
    struct source_inquiry *inquiry = context;
    const struct source_findings findings = {.schema = reply->failure ? NULL : reply->schema,
                                             .failure = reply->failure ? reply->failure->message : NULL,
                                             .problems = inquiry->problems};
    inquiry->answer(inquiry->call, &findings);
    json_decref(inquiry->problems);
    free(inquiry);
}

static void on_check(void *context, const struct source_reply *reply) {
    struct source_inquiry *inquiry = context;
    for (size_t i = 0; i < reply->n_problems; i++)
        json_array_append_new(inquiry->problems,
                              json_string_lossy(reply->problems[i], strlen(reply->problems[i])));
    inquiry->source_call = source_describe(inquiry->call->service->source, on_schema, inquiry);
}

void source_inquiry_start(struct route_call *call,
                          void (*answer)(struct route_call *call, const struct source_findings *findings)) {
    struct source_inquiry *inquiry = memory_allocate(sizeof *inquiry);
    *inquiry = (struct source_inquiry){.call = call, .answer = answer, .problems = json_array()};
    route_call_work(call, inquiry, stop);
    inquiry->source_call = source_check(call->service->source, true, on_check, inquiry);
}
