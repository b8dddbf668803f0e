/* Inside of the wire grammar: what is known about one stream. Only check/wire_*.c includes this. */
#ifndef SYNCLINE_CHECK_WIRE_STATE_H
#define SYNCLINE_CHECK_WIRE_STATE_H

#include "base/map.h"
#include "check/wire_grammar.h"
#include "check/wire_rows.h"

#define WIRE_PRIORITIES 4 /* 0 most urgent to 3 */

struct wire_scratch {
    struct sync_line_parser parser;
    struct wire_rows rows;
    struct buffer bucket; /* name in a fault */
};

/* Whether a bucket belongs to what the service fetches for the latest checkpoint line. */
enum wire_fetch {
    FETCH_NONE,
    FETCH_MAYBE, /* left over from a checkpoint that was not completed; the service may know that it is done
                  */
    FETCH_SURE   /* announced by the latest line, or data came, or more was promised */
};

/* What is known of the announced number of operations. The count is informational, and compaction lowers it.
 */
enum wire_count_rule {
    COUNT_UNKNOWN,
    COUNT_AT_MOST, /* what was received, or less after a compaction */
    COUNT_EXACT /* everything came from position 0 within one checkpoint, and no CLEAR: nothing was compacted
                 */
};

struct wire_bucket {
    uint32_t announced; /* checksum */
    int64_t count;      /* announced; -1: absent */
    int32_t priority;
    bool listed;        /* false: known from the request only, or removed */
    uint64_t listed_by; /* number of the line that last named it */
    enum wire_fetch fetch;
    bool more;        /* the latest data line said has_more */
    bool exhausted;   /* the latest data line of this checkpoint said that nothing follows */
    int64_t position; /* where the next data line starts; -1: unknown */
    bool sum_known;
    uint32_t sum; /* of the op checksums up to position */
    enum wire_count_rule count_rule;
    int64_t received; /* operations up to position */
    char name[];
};

struct wire_grammar {
    struct wire_grammar_settings settings;
    uint64_t line; /* number of the current line */
    uint64_t faults;
    uint32_t reported; /* rules that this line has broken already, a bit each */
    bool expired;      /* token_expires_in 0 was sent */
    /* the request */
    bool has_request;
    bool include_defaults;
    size_t n_subscriptions;
    enum wire_encoding encoding;
    /* the latest checkpoint line */
    bool started;
    bool open; /* not completed */
    int64_t last_op_id;
    int64_t write_checkpoint; /* -1: none */
    bool has_streams;
    bool *stream_defaults; /* is_default of each stream of the checkpoint */
    size_t stream_defaults_capacity;
    size_t n_streams;
    struct map buckets;           /* name -> struct wire_bucket */
    struct wire_bucket **fetched; /* what is still to be completed, in the order of announcement */
    size_t n_fetched;
    size_t fetched_capacity;
    size_t sure[WIRE_PRIORITIES]; /* number of fetched buckets by priority */
    size_t maybe[WIRE_PRIORITIES];
};

/* Report that the current line breaks a rule, once a line and rule. `format` gives "expected|seen"; the
 * bucket may be NULL. */
void wire_fault_at(struct wire_grammar *grammar, enum wire_rule rule, const struct wire_bucket *bucket,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same for a bucket that is only a name. Names are the peer's text, so they are never part of a format.
 */
void wire_fault_name(struct wire_grammar *grammar, enum wire_rule rule, const struct json_span *name,
                     const char *expected, const char *seen);

/* NULL when the name was never heard of. */
struct wire_bucket *wire_bucket_find(const struct wire_grammar *grammar, const struct json_span *name);
struct wire_bucket *wire_bucket_add(struct wire_grammar *grammar, const char *name, size_t length);
/* The stream goes on after `position`. At 0 the sum of nothing is known. */
void wire_bucket_start(struct wire_bucket *bucket, int64_t position);
/* Keeps the numbers by priority. The list of fetched buckets is the caller's business. */
void wire_bucket_set_fetch(struct wire_grammar *grammar, struct wire_bucket *bucket, enum wire_fetch fetch);

/* What each kind of line means. */
void wire_checkpoint_line(struct wire_grammar *grammar,
                          const struct sync_line *line); /* and checkpoint_diff */
void wire_data_line(struct wire_grammar *grammar, const struct sync_line *line);
void wire_partial_line(struct wire_grammar *grammar, const struct sync_line *line);
void wire_complete_line(struct wire_grammar *grammar, const struct sync_line *line);

#endif
