#include "mock-powersync/replication/convex_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

void convex_job_fail(struct convex_job *job, const struct source_failure *failure) {
    assert(failure->retry_delay > 0 && !job->call && !job->timer);
    job->options.ended(job->options.context, failure);
}

void convex_job_assert_failed(struct convex_job *job, const char *message) {
    convex_job_fail(job, &(struct source_failure){
                             .message = message, .code = "PSYNC_S1101", .retry_delay = SOURCE_DELAY_OTHER});
}

void convex_job_storage_failed(struct convex_job *job) {
    convex_job_fail(job, &(struct source_failure){.message = "storage could not be written",
                                                  .retry_delay = SOURCE_DELAY_OTHER});
}

bool convex_job_received(struct convex_job *job, const struct convex_reply *reply) {
    job->call = NULL;
    if (!reply->failure)
        return true;
    convex_job_fail(job, reply->failure);
    return false;
}

void convex_job_pause(struct convex_job *job, int64_t delay, void (*then)(void *)) {
    assert(!job->timer && !job->call);
    job->timer = host_timer_set(job->host, delay, then, job);
}

void convex_job_before_commit(struct convex_job *job, void (*then)(void *)) {
    struct fault_point fault = writer_before_commit(job->writer);
    if (fault.action == FAULT_ERROR)
        convex_job_storage_failed(job);
    else if (fault.action == FAULT_DELAY)
        convex_job_pause(job, fault.delay, then);
    else
        then(job);
}

/* Tables. The real service asks json_schemas once for each pattern, before the snapshot and before streaming.
 */

static void on_schemas(void *context, const struct convex_reply *reply);

static void resolve_next(struct convex_job *job) {
    const struct sync_config *config = writer_config(job->writer);
    while (job->pattern < config->n_patterns) {
        const struct source_pattern *pattern = &config->patterns[job->pattern];
        if (strcmp(pattern->tag, CONVEX_TAG) == 0 && strcmp(pattern->schema, CONVEX_SCHEMA) == 0) {
            job->call = convex_client_schemas(&job->source->client, on_schemas, job);
            return;
        }
        job->pattern++; /* nothing of ours */
    }
    if (job->streaming)
        convex_stream_start(job);
    else
        convex_snapshot_next(job);
}

static void warn_of_missing(struct convex_job *job, const struct source_pattern *pattern) {
    char *text = memory_format("table %s is not in json_schemas: no snapshot of it", pattern->name);
    host_note(job->host, &(struct note){.kind = NOTE_TEXT, .text = text});
    free(text);
}

static void on_schemas(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    if (!convex_job_received(job, reply))
        return;
    const struct source_pattern *pattern = &writer_config(job->writer)->patterns[job->pattern++];
    size_t count;
    const char **names = convex_schema_match(reply->body, pattern, &count);
    for (size_t i = 0; i < count; i++)
        map_set(&job->known, names[i], job);
    free(names);
    if (count == 0 && !pattern->prefix && !job->streaming)
        warn_of_missing(job, pattern);
    resolve_next(job);
}

static void on_head(void *context, const struct convex_reply *reply) {
    struct convex_job *job = context;
    if (!convex_job_received(job, reply))
        return;
    int64_t head;
    if (!convex_page_read_head(reply->text, reply->length, &head) || head == 0) {
        convex_job_assert_failed(job, "the snapshot is not a timestamp of 19 digits");
        return;
    }
    if (writer_start_snapshot(job->writer, head))
        resolve_next(job);
    else
        convex_job_storage_failed(job);
}

void convex_job_begin(void *context) {
    struct convex_job *job = context;
    job->timer = 0;
    job->pattern = 0;
    map_clear(&job->known, NULL);
    job->streaming = writer_snapshot_is_done(job->writer);
    if (!job->streaming && writer_boundary(job->writer) == 0)
        job->call = convex_client_head(&job->source->client, on_head, job);
    else
        resolve_next(job);
}

struct source_job *convex_job_start(struct source *source, const struct source_job_options *options) {
    struct convex_job *job = memory_allocate(sizeof *job);
    job->job.source = source;
    job->source = (struct convex_source *)source;
    job->options = *options;
    job->host = source->host;
    job->writer = options->writer;
    convex_job_begin(job);
    return &job->job;
}

void convex_job_stop(struct source_job *base) {
    struct convex_job *job = (struct convex_job *)base;
    convex_call_cancel(job->call);
    host_timer_cancel(job->host, job->timer);
    convex_call_cancel(job->early);
    host_timer_cancel(job->host, job->early_timer);
    map_free(&job->known, NULL);
    map_free(&job->types, NULL);
    arena_free(&job->arena);
    free(job);
}
