/* The grammar of a sync stream (PowerSync protocol v1, NDJSON): what a service may say, in which order, and
 * whether the sums add up. The core of this module judges a sequence of lines and needs no world, so that
 * tests, fuzzers and `serve` can feed it; check/wire_property.c feeds it with the streams of a world.
 *
 * One struct wire_grammar follows one stream (one exchange). It reports faults through a function and goes on
 * after each, taking the line at its word, so that one mistake is not reported again and again. It never
 * fails, whatever it is given. The scratch memory may serve any number of grammars, one call at a time. */
#ifndef SYNCLINE_CHECK_WIRE_GRAMMAR_H
#define SYNCLINE_CHECK_WIRE_GRAMMAR_H

#include "base/buffer.h"
#include "base/error.h"
#include "check/sync_line.h"

struct property;
extern const struct property property_wire_grammar; /* "wire-grammar", in check/wire_property.c */

enum wire_rule {
    WIRE_LINE_SYNTAX,      /* one JSON object with one key, fields of the right types */
    WIRE_LINE_LAYOUT,      /* no white space between tokens */
    WIRE_CHECKPOINT_FIRST, /* nothing but keepalives before the checkpoint */
    WIRE_CHECKPOINT_ONCE,  /* later checkpoints are diffs */
    WIRE_DATA_EXPECTED,    /* data only for buckets that the latest checkpoint line gave reason to fetch */
    WIRE_OP_BOUND,         /* no operation above the latest last_op_id */
    WIRE_OP_ORDER,         /* op ids strictly increase inside a bucket */
    WIRE_POSITIONS,        /* after and next_after chain, from the request's positions */
    WIRE_PRIORITY_ORDER,   /* data by ascending priority number, groups closed in between */
    WIRE_PARTIAL_COMPLETE, /* one for each priority group of the fetch set except the last */
    WIRE_COMPLETE,         /* carries the last_op_id of the latest checkpoint line, at most once for it */
    WIRE_LAST_OP_MONOTONE, /* last_op_id never goes back */
    WIRE_WRITE_CHECKPOINT, /* write_checkpoint never goes back, and is repeated */
    WIRE_CHECKSUM,         /* op checksums add up to the announced ones when a checkpoint is complete */
    WIRE_COUNT,            /* the announced count is the number of operations */
    WIRE_BUCKET_SET,       /* a diff removes what is known, updates what changed, names nothing twice */
    WIRE_ROW_FORM,         /* which fields an operation has, and how its data is written */
    WIRE_ROW_CHECKSUM,     /* an operation's checksum is that of its content */
    WIRE_SUBSCRIPTIONS,    /* a bucket's reasons point at existing streams and subscriptions */
    WIRE_TOKEN_EXPIRY,     /* token_expires_in is not negative, and nothing follows 0 */
    WIRE_STREAM_END,       /* a body ends after a complete line */
    WIRE_RESPONSE_HEAD,    /* status and headers of the answer */
    WIRE_ERROR_BODY,       /* the body of an answer that is no stream */
    WIRE_RULES
};

const char *wire_rule_name(enum wire_rule rule);    /* "op-bound" */
const char *wire_rule_promise(enum wire_rule rule); /* one sentence, with the place it comes from */

struct wire_fault {
    enum wire_rule rule;
    uint64_t line;        /* from 1; 0: not about a line */
    const char *bucket;   /* or "" */
    const char *expected; /* texts are borrowed for the duration of the call */
    const char *seen;
};

struct wire_scratch;
struct wire_scratch *wire_scratch_create(void);
void wire_scratch_destroy(struct wire_scratch *scratch);

struct wire_grammar_settings {
    struct wire_scratch *scratch; /* borrowed; outlives the grammar */
    /* Postgres storage looks write checkpoints up anew each time, so one may be missing for a while. */
    bool write_checkpoint_may_vanish;
    /* A service that lost its storage does not know what a client has: a bucket's sum cannot be learned from
     * what it announces, only from all of its operations. */
    bool storage_was_lost;
    int64_t last_op_id; /* announced to this client before the request was made; 0: nothing */
    void (*report)(void *context, const struct wire_fault *fault);
    void *context;
};

struct wire_grammar;
struct wire_grammar *wire_grammar_create(const struct wire_grammar_settings *settings);
void wire_grammar_destroy(struct wire_grammar *grammar);

/* The body of the request, before the first line: positions, raw_data, subscriptions. Without it nothing is
 * known about them and the rules that need them are silent until the stream itself tells. STATUS_INVALID when
 * the body is not a sync request (the service answers 400 then); the grammar is as without a request. */
enum status wire_grammar_request(struct wire_grammar *grammar, const void *body, size_t length,
                                 struct error *error);

/* The stream is BSON: whatever the request says, rows are text. Its documents are given as JSON lines. */
void wire_grammar_binary(struct wire_grammar *grammar);

/* The sum of what a client has of a bucket up to a position, where a later stream goes on. */
struct wire_sum {
    int64_t position;
    uint32_t sum;
};
/* Of every bucket of which it is known. */
void wire_grammar_sums(const struct wire_grammar *grammar,
                       void (*each)(void *context, const char *bucket, struct wire_sum sum), void *context);
/* What an earlier stream said; counts if the request goes on from that position. After the request. */
void wire_grammar_remember(struct wire_grammar *grammar, const char *bucket, struct wire_sum sum);

/* One line, without its final newline. */
void wire_grammar_line(struct wire_grammar *grammar, const char *bytes, size_t length);

uint64_t wire_grammar_lines(const struct wire_grammar *grammar);  /* lines seen so far */
uint64_t wire_grammar_faults(const struct wire_grammar *grammar); /* faults reported so far */
int64_t
wire_grammar_last_op_id(const struct wire_grammar *grammar); /* announced so far, earlier streams included */
bool wire_grammar_complete(const struct wire_grammar *grammar); /* the latest checkpoint line was completed */

/* Reports a fault about something that is no line (the end of the stream, the head). For the property. */
void wire_grammar_fault(struct wire_grammar *grammar, enum wire_rule rule, const char *expected,
                        const char *seen);

#endif
