#include "mock-powersync/replication/convex_module.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "mock-powersync/replication/convex_job.h"

static struct source *open_source(struct host *host, const struct source_settings *settings) {
    struct convex_source *source = memory_allocate(sizeof *source);
    source->source = (struct source){&convex_module, host};
    source->polling_interval = settings->polling_interval;
    convex_client_open(&source->client, host, settings);
    return &source->source;
}

static void close_source(struct source *base) {
    struct convex_source *source = (struct convex_source *)base;
    convex_client_close(&source->client);
    free(source);
}

/* A call of the API's side: one request, or two. */
struct api_call {
    struct source_call call;
    struct convex_call *request;
    bool read_only;
    const char *missing; /* a check's first finding */
    void (*done)(void *, const struct source_reply *);
    void *context;
};

static struct api_call *begin(struct source *source, void (*done)(void *, const struct source_reply *),
                              void *context) {
    struct api_call *call = memory_allocate(sizeof *call);
    *call = (struct api_call){.call = {source}, .done = done, .context = context};
    return call;
}

static const struct convex_client *client_of(const struct api_call *call) {
    return &((const struct convex_source *)call->call.source)->client;
}

static void finish(struct api_call *call, const struct source_reply *reply) {
    call->done(call->context, reply);
    free(call);
}

static void cancel(struct source_call *base) {
    struct api_call *call = (struct api_call *)base;
    convex_call_cancel(call->request);
    free(call);
}

static void finish_failed(struct api_call *call, const char *message) {
    struct source_failure failure = {.message = message, .retry_delay = SOURCE_DELAY_OTHER};
    finish(call, &(struct source_reply){.failure = &failure});
}

static void on_head(void *context, const struct convex_reply *reply) {
    struct source_reply answer = {.failure = reply->failure};
    if (!reply->failure && !convex_page_read_head(reply->text, reply->length, &answer.position))
        finish_failed(context, "the snapshot is not a timestamp of 19 digits");
    else
        finish(context, &answer);
}

static struct source_call *head(struct source *source, void (*done)(void *, const struct source_reply *),
                                void *context) {
    struct api_call *call = begin(source, done, context);
    call->request = convex_client_head(client_of(call), on_head, call);
    return &call->call;
}

/* Whatever an answer of status 200 says: a mutation that failed counts as one that ran, as in the real
 * service. */
static void on_mark(void *context, const struct convex_reply *reply) {
    finish(context, &(struct source_reply){.failure = reply->failure});
}

static struct source_call *mark(struct source *source, void (*done)(void *, const struct source_reply *),
                                void *context) {
    struct api_call *call = begin(source, done, context);
    call->request = convex_client_marker(client_of(call), on_mark, call);
    return &call->call;
}

static void on_describe(void *context, const struct convex_reply *reply) {
    struct arena arena = {0};
    struct source_schema schema = {0};
    struct source_reply answer = {.failure = reply->failure, .schema = &schema};
    if (reply->body)
        schema = convex_schema_describe(reply->body, &arena);
    finish(context, &answer);
    arena_free(&arena);
}

static struct source_call *describe(struct source *source, void (*done)(void *, const struct source_reply *),
                                    void *context) {
    struct api_call *call = begin(source, done, context);
    call->request = convex_client_schemas(client_of(call), on_describe, call);
    return &call->call;
}

/* The check: tables can be listed, the service's own is there, its mutation can be called. */

static void finish_check(struct api_call *call, const char *first, const char *second) {
    const char *problems[2];
    struct source_reply reply = {.problems = problems};
    if (first)
        problems[reply.n_problems++] = first;
    if (second)
        problems[reply.n_problems++] = second;
    finish(call, &reply);
}

static void on_check_mark(void *context, const struct convex_reply *reply) {
    struct api_call *call = context;
    char *failed = reply->body ? NULL
                               : memory_format("Convex mutation %s could not be called: %s",
                                               CONVEX_MARKER_MUTATION, reply->failure->message);
    finish_check(call, call->missing, failed);
    free(failed);
}

static void on_check_tables(void *context, const struct convex_reply *reply) {
    struct api_call *call = context;
    if (!reply->body) {
        finish_check(call, reply->failure->message, NULL);
        return;
    }
    if (!json_object_get(reply->body, CONVEX_MARKER_TABLE))
        call->missing = "Convex table " CONVEX_MARKER_TABLE " is missing";
    if (call->read_only)
        finish_check(call, call->missing, NULL);
    else
        call->request = convex_client_marker(client_of(call), on_check_mark, call);
}

static struct source_call *check(struct source *source, bool read_only,
                                 void (*done)(void *, const struct source_reply *), void *context) {
    struct api_call *call = begin(source, done, context);
    call->read_only = read_only;
    call->request = convex_client_schemas(client_of(call), on_check_tables, call);
    return &call->call;
}

static void position_append(struct buffer *out, int64_t position) {
    buffer_printf(out, "%" PRId64, position);
}

static int64_t position_time(int64_t position) {
    return position;
}

const struct source_module convex_module = {.type = "convex",
                                            .settings_check = convex_settings_check,
                                            .open = open_source,
                                            .close = close_source,
                                            .head = head,
                                            .mark = mark,
                                            .describe = describe,
                                            .check = check,
                                            .cancel = cancel,
                                            .job_start = convex_job_start,
                                            .job_stop = convex_job_stop,
                                            .position_append = position_append,
                                            .position_time = position_time};
