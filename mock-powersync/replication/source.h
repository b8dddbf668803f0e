/* A source: where rows come from. Each kind of source is a module, a struct of functions; nothing but the
 * service's choice of a module by its type knows which kinds there are.
 *
 * A module has two sides. The API's: where the source stands (head), a mark that replication will pass even
 * when nothing else happens, the schema, a check of how the source is set up. And replication's: a job that
 * copies the source into one replication stream through a writer (writer.h).
 *
 * Positions are int64_t, rise with time, and 0 is none; each module has its own meaning for them. */
#ifndef MOCK_POWERSYNC_SOURCE_H
#define MOCK_POWERSYNC_SOURCE_H

#include "base/buffer.h"
#include "base/error.h"
#include "kernel/host.h"

struct writer;
struct source_module;

/* A connection's settings. Texts are borrowed during open and check. */
struct source_settings {
    const char *address;      /* host:port, a node's name, or a URL */
    const char *key;          /* what lets us in */
    int64_t polling_interval; /* ns, > 0 */
    int64_t request_timeout;  /* ns, > 0 */
    bool strict_expiry;       /* recognise all ways in which the source says that it lost our position */
};

/* What a module's own structs begin with: an open source, a call under way, a job. */
struct source {
    const struct source_module *module;
    struct host *host;
};
struct source_call {
    struct source *source;
};
struct source_job {
    struct source *source;
};

struct source_failure {
    const char *message;
    const char *code;    /* PSYNC_..., or NULL */
    int64_t retry_delay; /* ns for which the source should be left alone; > 0 */
    bool position_lost;  /* what followed our position cannot be told any more: start over */
};

struct source_column {
    const char *name;
    const char *type;        /* in the source's words */
    const char *sqlite_type; /* "text", "integer", "real", "blob" or "null" */
};

struct source_table_schema {
    const char *name;
    const struct source_column *columns;
    size_t n_columns;
};

struct source_schema {
    const char *name; /* "convex", "public" */
    const struct source_table_schema *tables;
    size_t n_tables;
};

/* The answer to one call; valid while `done` runs. */
struct source_reply {
    const struct source_failure *failure; /* NULL: the call succeeded */
    int64_t position;                     /* of source_head */
    const struct source_schema *schema;   /* of source_schema */
    const char *const *problems;          /* of source_check: what is wrong with the source, for people */
    size_t n_problems;
};

struct source_job_options {
    struct writer *writer;
    /* The job has ended. It is the last thing that it does: stop it then, also from inside. */
    void (*ended)(void *context, const struct source_failure *failure);
    void *context;
};

struct source_module {
    const char *type; /* of the connection in service.yaml */

    /* STATUS_INVALID: settings that cannot work; the message begins with a code. */
    enum status (*settings_check)(const struct source_settings *settings, struct error *error);
    struct source *(*open)(struct host *host, const struct source_settings *settings);
    void (*close)(struct source *source); /* no call and no job may be under way */

    /* Each call ends with `done`, once and never from inside, unless it is cancelled first. */
    struct source_call *(*head)(struct source *source, void (*done)(void *, const struct source_reply *),
                                void *context);
    struct source_call *(*mark)(struct source *source, void (*done)(void *, const struct source_reply *),
                                void *context);
    struct source_call *(*describe)(struct source *source, void (*done)(void *, const struct source_reply *),
                                    void *context);
    struct source_call *(*check)(struct source *source, bool read_only,
                                 void (*done)(void *, const struct source_reply *), void *context);
    void (*cancel)(struct source_call *call);

    struct source_job *(*job_start)(struct source *source, const struct source_job_options *options);
    void (*job_stop)(struct source_job *job);

    void (*position_append)(struct buffer *out, int64_t position); /* as people and logs see it */
    int64_t (*position_time)(int64_t position);                    /* ns since the Unix epoch; 0: not known */
};

static inline void source_close(struct source *source) {
    if (source)
        source->module->close(source);
}
/* Where the source stands now: everything that was committed before this call is at or below it. */
static inline struct source_call *
source_head(struct source *source, void (*done)(void *, const struct source_reply *), void *context) {
    return source->module->head(source, done, context);
}
/* Leave a mark in the source, so that replication passes the head of before although nothing else happens. */
static inline struct source_call *
source_mark(struct source *source, void (*done)(void *, const struct source_reply *), void *context) {
    return source->module->mark(source, done, context);
}
static inline struct source_call *
source_describe(struct source *source, void (*done)(void *, const struct source_reply *), void *context) {
    return source->module->describe(source, done, context);
}
/* Is the source set up as the module needs it? With `read_only` nothing is written to it. */
static inline struct source_call *source_check(struct source *source, bool read_only,
                                               void (*done)(void *, const struct source_reply *),
                                               void *context) {
    return source->module->check(source, read_only, done, context);
}
/* Give up: `done` is not called. Not needed after `done`. NULL is ignored. */
static inline void source_cancel(struct source_call *call) {
    if (call)
        call->source->module->cancel(call);
}
/* Copy the source into the writer's replication stream, from where it stands, until it fails. */
static inline struct source_job *source_job_start(struct source *source,
                                                  const struct source_job_options *options) {
    return source->module->job_start(source, options);
}
/* `ended` is not called any more. NULL is ignored. */
static inline void source_job_stop(struct source_job *job) {
    if (job)
        job->source->module->job_stop(job);
}

#define SOURCE_DELAY_OTHER (20 * TIME_SECOND) /* after a failure that is not about a request */

#endif
