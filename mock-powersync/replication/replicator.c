#include "mock-powersync/replication/replicator.h"

#include <assert.h>
#include <stdlib.h>

struct replicator {
    struct source *source;
    struct host *host;
    struct writer *writer;
    struct source_job *job; /* NULL: it waits for the timer */
    uint64_t timer;
};

static void start_job(void *context);

static void job_ended(void *context, const struct source_failure *failure) {
    struct replicator *replicator = context;
    char *text = memory_format("replication stopped: %s", failure->message);
    host_note(replicator->host, &(struct note){.kind = NOTE_TEXT, .text = text});
    free(text);
    host_mark(replicator->host, "replicator.job-ended");
    source_job_stop(replicator->job);
    replicator->job = NULL;
    replicator->timer = host_timer_set(replicator->host, failure->retry_delay, start_job, replicator);
}

static void start_job(void *context) {
    struct replicator *replicator = context;
    assert(!replicator->job);
    replicator->timer = 0;
    const struct source_job_options options = {replicator->writer, job_ended, replicator};
    replicator->job = source_job_start(replicator->source, &options);
}

struct replicator *replicator_create(const struct replicator_options *options) {
    struct replicator *replicator = memory_allocate(sizeof *replicator);
    replicator->source = options->source;
    replicator->host = options->source->host;
    replicator->writer = writer_create(&options->writer);
    start_job(replicator);
    return replicator;
}

void replicator_destroy(struct replicator *replicator) {
    if (!replicator)
        return;
    source_job_stop(replicator->job);
    host_timer_cancel(replicator->host, replicator->timer);
    writer_destroy(replicator->writer);
    free(replicator);
}

int64_t replicator_lag(const struct replicator *replicator) {
    return writer_lag(replicator->writer);
}
