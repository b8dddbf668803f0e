/* The replication job of a Convex source: a snapshot of all selected tables at one timestamp, resumable after
 * every page, then the changes behind it, by polling. Whatever goes wrong ends the job; its successor goes on
 * from what storage remembers. Owned by who starts it. */
#ifndef MOCK_POWERSYNC_CONVEX_JOB_H
#define MOCK_POWERSYNC_CONVEX_JOB_H

#include "base/map.h"
#include "mock-powersync/replication/convex_client.h"
#include "mock-powersync/replication/convex_page.h"
#include "mock-powersync/replication/convex_schema.h"
#include "mock-powersync/replication/writer.h"

struct convex_source {
    struct source source;
    struct convex_client client;
    int64_t polling_interval; /* ns */
};

struct convex_job {
    struct source_job job;
    struct convex_source *source;
    struct source_job_options options;
    struct host *host;
    struct writer *writer;
    struct convex_call *call;  /* the request under way; at most one */
    uint64_t timer;            /* the pause under way; never together with a call */
    struct convex_call *early; /* mutant early-polls: a poll beside the one under way */
    uint64_t early_timer;
    struct arena arena; /* one page */

    /* Tables */
    size_t pattern;   /* patterns of the config looked up so far */
    struct map known; /* the names of selected tables that it has met; the values mean nothing */
    bool streaming;

    /* Snapshot */
    const char *table; /* under way */

    /* Stream */
    int64_t cursor;          /* of the next delta page */
    int64_t last_ts;         /* of the newest row that this job has seen */
    int64_t last_keepalive;  /* virtual time */
    bool kept_alive;         /* false: last_keepalive is not set yet */
    struct convex_page page; /* the delta page being applied */
    size_t applied;          /* rows of it that are done */
    size_t written;          /* rows of it that are selected */
    int64_t written_ts;      /* of the newest of them */
    bool marker;             /* the page had the write checkpoint marker */
    struct map types;        /* mutant fixed-types: "table.column" -> enum sql_kind of its first value */
};

struct source_job *convex_job_start(struct source *source, const struct source_job_options *options);
void convex_job_stop(struct source_job *job);

/* The parts of a job share these. */

/* End the job; touch it no more afterwards. */
void convex_job_fail(struct convex_job *job, const struct source_failure *failure);
void convex_job_assert_failed(struct convex_job *job, const char *message); /* PSYNC_S1101 */
void convex_job_storage_failed(struct convex_job *job);
/* The call is over; false when it failed (the job has then ended). */
bool convex_job_received(struct convex_job *job, const struct convex_reply *reply);
void convex_job_pause(struct convex_job *job, int64_t delay, void (*then)(void *job));
/* Go on with `then`, at once or as the fault point before commits says. */
void convex_job_before_commit(struct convex_job *job, void (*then)(void *job));

void convex_snapshot_next(struct convex_job *job); /* tables are resolved */
void convex_stream_start(struct convex_job *job);  /* the same, and the snapshot is done */
void convex_job_begin(void *job);                  /* from what storage remembers */

#endif
