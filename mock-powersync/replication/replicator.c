#include "mock-powersync/replication/replicator.h"

#include <assert.h>
#include <stdlib.h>

#include "mock-powersync/replication/rate_limit.h"
#include "mock-powersync/replication/writer.h"

#define WAKE_UP (5 * TIME_SECOND)
#define WAKE_UP_FAST (500 * TIME_MILLISECOND)
#define FAST_TIME (120 * TIME_SECOND)

enum { STREAMS_MOST = 2 }; /* one active, one being deployed */

/* The replication of one stream. */
struct task {
    struct replicator *replicator;
    struct replication_stream *stream; /* held, and locked for us */
    struct writer *writer;
    struct source_job *job; /* NULL: it waits for its timer */
    uint64_t timer;
};

struct replicator {
    struct replicator_options options;
    struct host *host;
    struct task *tasks[STREAMS_MOST]; /* with holes */
    struct rate_limit limit;
    struct watch changes; /* of the storage's streams */
    uint64_t look_timer;  /* for streams that have changed */
    uint64_t lock_timer;  /* to renew our locks */
    uint64_t lock_holder; /* who we are to locks */
    int64_t created;
    bool started; /* a job has */
};

static void look(void *context);
static void await_start(struct task *task);

static bool wants_replication(const struct replication_stream *stream) {
    return stream && (stream->state == STREAM_PROCESSING || stream->state == STREAM_ACTIVE);
}

/* Jobs */

static void say_ended(struct task *task, const struct source_failure *failure) {
    struct host *host = task->replicator->host;
    char *text = memory_format("replication stopped: %s", failure->message);
    host_note(host, &(struct note){.kind = NOTE_TEXT, .text = text});
    free(text);
    text = failure->code ? memory_format("[%s] %s", failure->code, failure->message)
                         : memory_copy_text(failure->message);
    replication_stream_report(task->stream, text, host_wall_clock(host));
    free(text);
    host_mark(host, "replicator.job-ended");
}

/* The stream is then not ours any more: looking again finds its successor. */
static void start_over(struct task *task) {
    struct error error = {0};
    host_mark(task->replicator->host, "replicator.started-over");
    if (storage_stream_restart(task->replicator->options.storage, task->stream, &error))
        host_note(task->replicator->host, &(struct note){.kind = NOTE_TEXT, .text = error.message});
}

static void job_ended(void *context, const struct source_failure *failure) {
    struct task *task = context;
    bool matters =
        wants_replication(task->stream); /* else it was replaced, and is dropped by the next look */
    bool lost = failure->position_lost;
    if (matters) {
        rate_limit_failed(&task->replicator->limit, host_now(task->replicator->host), failure->retry_delay);
        say_ended(task, failure);
    }
    source_job_stop(task->job);
    task->job = NULL;
    if (matters && lost)
        start_over(task);
    else if (matters)
        await_start(task);
}

static void start_job(void *context) {
    struct task *task = context;
    struct replicator *replicator = task->replicator;
    task->timer = 0;
    if (rate_limit_wait(&replicator->limit, host_now(replicator->host)) > 0) {
        await_start(task); /* another job was first */
        return;
    }
    rate_limit_started(&replicator->limit, host_now(replicator->host));
    replicator->started = true;
    const struct source_job_options options = {task->writer, job_ended, task};
    task->job = source_job_start(replicator->options.source, &options);
}

static void await_start(struct task *task) {
    assert(!task->job && !task->timer);
    struct replicator *replicator = task->replicator;
    int64_t wait = rate_limit_wait(&replicator->limit, host_now(replicator->host));
    if (wait > 0)
        task->timer = host_timer_set(replicator->host, wait, start_job, task);
    else
        start_job(task);
}

/* Streams */

static int64_t lock_end(const struct replicator *replicator) {
    int64_t lasts = replicator->options.job_lock;
    return lasts > 0 ? host_now(replicator->host) + lasts : INT64_MAX;
}

static void take(struct replicator *replicator, size_t place, struct replication_stream *stream) {
    struct task *task = memory_allocate(sizeof *task);
    task->replicator = replicator;
    task->stream = replication_stream_hold(stream);
    task->writer = writer_create(
        &(struct writer_options){.host = replicator->host,
                                 .stream = stream,
                                 .metrics = replicator->options.metrics,
                                 .write_checkpoint_table = replicator->options.write_checkpoint_table});
    replicator->tasks[place] = task;
    await_start(task);
}

static void drop(struct replicator *replicator, size_t place, bool unlock) {
    struct task *task = replicator->tasks[place];
    replicator->tasks[place] = NULL;
    source_job_stop(task->job);
    host_timer_cancel(replicator->host, task->timer);
    writer_destroy(task->writer);
    if (unlock)
        stream_lock_release(&task->stream->lock, replicator->lock_holder);
    replication_stream_release(task->stream);
    free(task);
}

static bool has_task(const struct replicator *replicator, const struct replication_stream *stream) {
    for (size_t i = 0; i < STREAMS_MOST; i++)
        if (replicator->tasks[i] && replicator->tasks[i]->stream == stream)
            return true;
    return false;
}

static bool lacks_task(const struct replicator *replicator, const struct replication_stream *stream) {
    return wants_replication(stream) && !has_task(replicator, stream);
}

static void drop_replaced(struct replicator *replicator) {
    for (size_t i = 0; i < STREAMS_MOST; i++)
        if (replicator->tasks[i] && !wants_replication(replicator->tasks[i]->stream))
            drop(replicator, i, true);
}

static size_t free_place(const struct replicator *replicator) {
    size_t place = 0;
    while (place < STREAMS_MOST && replicator->tasks[place])
        place++;
    assert(place < STREAMS_MOST);
    return place;
}

/* False: another replicator has it. */
static bool try_take(struct replicator *replicator, struct replication_stream *stream) {
    if (!lacks_task(replicator, stream))
        return true;
    if (!stream_lock_take(&stream->lock, replicator->lock_holder, host_now(replicator->host),
                          lock_end(replicator)))
        return false;
    take(replicator, free_place(replicator), stream);
    return true;
}

/* When the replicator looks next: it does so at fixed times. */
static void look_later(struct replicator *replicator) {
    int64_t age = host_now(replicator->host) - replicator->created;
    int64_t period = !replicator->started && age < FAST_TIME ? WAKE_UP_FAST : WAKE_UP;
    if (!replicator->look_timer)
        replicator->look_timer = host_timer_set(replicator->host, period - age % period, look, replicator);
}

static void look(void *context) {
    struct replicator *replicator = context;
    replicator->look_timer = 0;
    drop_replaced(replicator);
    bool served = try_take(replicator, storage_serving(replicator->options.storage));
    bool deployed = try_take(replicator, storage_deploying(replicator->options.storage));
    if (!served || !deployed)
        look_later(replicator);
}

static void streams_changed(void *context) {
    struct replicator *replicator = context;
    const struct storage *storage = replicator->options.storage;
    bool replaced = false;
    for (size_t i = 0; i < STREAMS_MOST; i++)
        replaced = replaced || (replicator->tasks[i] && !wants_replication(replicator->tasks[i]->stream));
    if (replaced || lacks_task(replicator, storage_serving(storage)) ||
        lacks_task(replicator, storage_deploying(storage)))
        look_later(replicator);
}

static void renew_locks(void *context) {
    struct replicator *replicator = context;
    for (size_t i = 0; i < STREAMS_MOST; i++)
        if (replicator->tasks[i])
            stream_lock_take(&replicator->tasks[i]->stream->lock, replicator->lock_holder,
                             host_now(replicator->host), lock_end(replicator));
    replicator->lock_timer =
        host_timer_set(replicator->host, replicator->options.job_lock / 2, renew_locks, replicator);
}

struct replicator *replicator_create(const struct replicator_options *options) {
    struct replicator *replicator = memory_allocate(sizeof *replicator);
    replicator->options = *options;
    replicator->host = options->source->host;
    replicator->lock_holder = ++options->storage->last_lock_holder;
    replicator->created = host_now(replicator->host);
    watch_add(&options->storage->changes, &replicator->changes, streams_changed, replicator);
    look(replicator);
    if (options->job_lock > 0)
        renew_locks(replicator);
    return replicator;
}

static void end(struct replicator *replicator, bool unlock) {
    for (size_t i = 0; i < STREAMS_MOST; i++)
        if (replicator->tasks[i])
            drop(replicator, i, unlock);
    watch_remove(&replicator->changes);
    host_timer_cancel(replicator->host, replicator->look_timer);
    host_timer_cancel(replicator->host, replicator->lock_timer);
    free(replicator);
}

void replicator_destroy(struct replicator *replicator) {
    if (replicator)
        end(replicator, true);
}

void replicator_crash(struct replicator *replicator) {
    if (replicator)
        end(replicator, replicator->options.job_lock == 0);
}

int64_t replicator_lag(const struct replicator *replicator) {
    for (size_t i = 0; i < STREAMS_MOST; i++)
        if (replicator->tasks[i] && replicator->tasks[i]->stream->state == STREAM_ACTIVE)
            return writer_lag(replicator->tasks[i]->writer);
    return 0;
}
