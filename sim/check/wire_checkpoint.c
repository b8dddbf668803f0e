/* Checkpoint lines and completions: the set of buckets, their order by priority, and their sums. */
#include <assert.h>
#include <inttypes.h>

#include "base/memory.h"
#include "check/wire_state.h"

/* --- what a checkpoint or diff announces --- */

static void check_subscriptions(struct wire_grammar *grammar, const struct sync_line *line,
                                const struct sync_bucket *entry) {
    for (uint32_t i = 0; i < entry->n_subscriptions; i++) {
        const struct sync_subscription *reason = &line->subscriptions[entry->first_subscription + i];
        if (!reason->is_default && grammar->has_request && reason->index >= grammar->n_subscriptions)
            wire_fault_name(grammar, WIRE_SUBSCRIPTIONS, &entry->name,
                            "the index of one of the request's subscriptions", "an index beyond them");
        if (!reason->is_default || !grammar->has_streams)
            continue;
        if (reason->index >= grammar->n_streams)
            wire_fault_name(grammar, WIRE_SUBSCRIPTIONS, &entry->name,
                            "the index of one of the checkpoint's streams", "an index beyond them");
        else if (!grammar->stream_defaults[reason->index])
            wire_fault_name(grammar, WIRE_SUBSCRIPTIONS, &entry->name, "a default stream", "one that is not");
        else if (!grammar->include_defaults)
            wire_fault_name(grammar, WIRE_SUBSCRIPTIONS, &entry->name,
                            "no default streams, as the request asks", "a default subscription");
    }
}

static int32_t checked_priority(struct wire_grammar *grammar, const struct sync_bucket *entry) {
    if (entry->priority < WIRE_PRIORITIES)
        return entry->priority;
    wire_fault_name(grammar, WIRE_PRIORITY_ORDER, &entry->name, "a priority from 0 to 3", "a larger number");
    return WIRE_PRIORITIES - 1;
}

/* A bucket that the previous announcement did not have. Without a request its start is unknown. */
static struct wire_bucket *list_new(struct wire_grammar *grammar, const struct json_span *name,
                                    struct wire_bucket *known) {
    struct wire_bucket *bucket = known ? known : wire_bucket_add(grammar, name->bytes, name->length);
    if (!known && grammar->has_request)
        wire_bucket_start(bucket, 0);
    bucket->listed = true;
    return bucket;
}

static void check_listing(struct wire_grammar *grammar, const struct sync_line *line,
                          const struct sync_bucket *entry, const struct wire_bucket *bucket) {
    if (bucket->listed_by == grammar->line)
        wire_fault_name(grammar, WIRE_BUCKET_SET, &entry->name, "each bucket once in a line",
                        bucket->listed ? "a bucket listed twice" : "a bucket removed and updated");
    else if (bucket->listed && line->kind == SYNC_LINE_CHECKPOINT_DIFF &&
             bucket->announced == entry->checksum && bucket->count == entry->count)
        wire_fault_name(grammar, WIRE_BUCKET_SET, &entry->name, "a bucket whose checksum or count changed",
                        "one that did not change");
}

static void list_bucket(struct wire_grammar *grammar, const struct sync_line *line,
                        const struct sync_bucket *entry) {
    struct wire_bucket *bucket = wire_bucket_find(grammar, &entry->name);
    if (bucket)
        check_listing(grammar, line, entry, bucket);
    if (!bucket || !bucket->listed)
        bucket = list_new(grammar, &entry->name, bucket);
    if (bucket->fetch == FETCH_NONE) {
        MEMORY_RESERVE(grammar->fetched, grammar->fetched_capacity, grammar->n_fetched + 1);
        grammar->fetched[grammar->n_fetched++] = bucket;
    }
    wire_bucket_set_fetch(grammar, bucket, FETCH_NONE); /* the numbers go by priority, which may change */
    bucket->priority = checked_priority(grammar, entry);
    wire_bucket_set_fetch(grammar, bucket, FETCH_SURE);
    bucket->listed_by = grammar->line;
    bucket->announced = entry->checksum;
    bucket->count = entry->count;
    bucket->more = false;
    bucket->exhausted = false;
    check_subscriptions(grammar, line, entry);
}

/* The service forgets its position; when the bucket comes back within the connection it starts from 0. */
static void unlist(struct wire_grammar *grammar, struct wire_bucket *bucket) {
    wire_bucket_set_fetch(grammar, bucket, FETCH_NONE);
    wire_bucket_start(bucket, 0);
    bucket->listed = false;
    bucket->listed_by = grammar->line;
    bucket->more = false;
    bucket->exhausted = false;
}

static void remove_bucket(struct wire_grammar *grammar, const struct json_span *name) {
    struct wire_bucket *bucket = wire_bucket_find(grammar, name);
    if (bucket && bucket->listed)
        unlist(grammar, bucket);
    else
        wire_fault_name(grammar, WIRE_BUCKET_SET, name, "the removal of a bucket of the previous checkpoint",
                        "the removal of another");
}

static void remember_streams(struct wire_grammar *grammar, const struct sync_line *line) {
    grammar->has_streams = line->has_streams;
    grammar->n_streams = line->n_streams;
    MEMORY_RESERVE(grammar->stream_defaults, grammar->stream_defaults_capacity, line->n_streams);
    for (size_t i = 0; i < line->n_streams; i++)
        grammar->stream_defaults[i] = line->streams[i].is_default;
}

/* A checkpoint line lists everything there is: what the request had besides, the client throws away and the
 * service forgets. A second one is a fault, and taken at its word. */
static void unlist_others(struct wire_grammar *grammar) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&grammar->buckets, &i));) {
        struct wire_bucket *bucket = entry->value;
        if (bucket->listed_by != grammar->line)
            unlist(grammar, bucket);
    }
}

static void sweep_fetched(struct wire_grammar *grammar) {
    size_t kept = 0;
    for (size_t i = 0; i < grammar->n_fetched; i++)
        if (grammar->fetched[i]->fetch != FETCH_NONE)
            grammar->fetched[kept++] = grammar->fetched[i];
    assert(kept <= grammar->n_fetched);
    grammar->n_fetched = kept;
}

/* Buckets of a checkpoint that was not completed stay in the fetch set, unless the service knows that they
 * are done: the stream tells only when it has promised more. */
static void carry_over(struct wire_grammar *grammar) {
    for (size_t i = 0; i < grammar->n_fetched; i++) {
        struct wire_bucket *bucket = grammar->fetched[i];
        assert(bucket->listed && bucket->fetch != FETCH_NONE);
        wire_bucket_set_fetch(grammar, bucket, bucket->more ? FETCH_SURE : FETCH_MAYBE);
        bucket->exhausted = false;
        if (bucket->count_rule == COUNT_EXACT && bucket->received > 0)
            bucket->count_rule = COUNT_AT_MOST; /* a compaction may have come in between */
    }
}

static void check_ids(struct wire_grammar *grammar, const struct sync_line *line) {
    int64_t before = grammar->write_checkpoint;
    int64_t now = line->write_checkpoint;
    if (line->last_op_id < grammar->last_op_id)
        wire_fault_at(grammar, WIRE_LAST_OP_MONOTONE, NULL,
                      "last_op_id of at least %" PRId64 "|last_op_id %" PRId64, grammar->last_op_id,
                      line->last_op_id);
    if (now == 0)
        wire_fault_at(grammar, WIRE_WRITE_CHECKPOINT, NULL, "no write_checkpoint when there is none|\"0\"");
    if (now >= 0 && now < before)
        wire_fault_at(grammar, WIRE_WRITE_CHECKPOINT, NULL,
                      "write_checkpoint of at least %" PRId64 "|write_checkpoint %" PRId64, before, now);
    if (now < 0 && before > 0 && !grammar->settings.write_checkpoint_may_vanish)
        wire_fault_at(grammar, WIRE_WRITE_CHECKPOINT, NULL, "write_checkpoint %" PRId64 " again|none",
                      before);
    if (line->kind == SYNC_LINE_CHECKPOINT_DIFF && line->n_buckets == 0 && line->n_removed == 0 &&
        now == before)
        wire_fault_at(grammar, WIRE_BUCKET_SET, NULL,
                      "a diff that says something new|one that changes nothing");
    grammar->last_op_id = line->last_op_id;
    grammar->write_checkpoint = now;
}

void wire_checkpoint_line(struct wire_grammar *grammar, const struct sync_line *line) {
    bool diff = line->kind == SYNC_LINE_CHECKPOINT_DIFF;
    assert(diff || line->kind == SYNC_LINE_CHECKPOINT);
    if (diff && !grammar->started) {
        wire_fault_at(grammar, WIRE_CHECKPOINT_FIRST, NULL, "a checkpoint|a checkpoint_diff");
        return;
    }
    if (!diff && grammar->started)
        wire_fault_at(grammar, WIRE_CHECKPOINT_ONCE, NULL, "a checkpoint_diff|a second checkpoint");
    check_ids(grammar, line);
    carry_over(grammar);
    if (!diff)
        remember_streams(grammar, line);
    for (size_t i = 0; i < line->n_removed; i++)
        remove_bucket(grammar, &line->removed[i]);
    sweep_fetched(grammar); /* a removed bucket may be listed again: it must not be in the list twice */
    for (size_t i = 0; i < line->n_buckets; i++)
        list_bucket(grammar, line, &line->buckets[i]);
    if (!diff)
        unlist_others(grammar);
    sweep_fetched(grammar);
    grammar->started = true;
    grammar->open = true;
}

/* --- completions --- */

/* The client now validates: what it holds must be what was announced. Whatever was wrong, from here on the
 * announced numbers are the base. */
static void check_sum(struct wire_grammar *grammar, struct wire_bucket *bucket) {
    if (bucket->sum_known && bucket->sum != bucket->announced)
        wire_fault_at(grammar, WIRE_CHECKSUM, bucket,
                      "checksum %" PRId32 " as announced|%" PRId32 " as the sum of %" PRId64 " operations",
                      (int32_t)bucket->announced, (int32_t)bucket->sum, bucket->received);
    bool exact = bucket->count_rule == COUNT_EXACT && bucket->count != bucket->received;
    bool at_most = bucket->count_rule == COUNT_AT_MOST && bucket->count > bucket->received;
    if (bucket->count >= 0 && (exact || at_most))
        wire_fault_at(grammar, WIRE_COUNT, bucket, "count %" PRId64 "|%" PRId64, bucket->received,
                      bucket->count);
    bucket->sum = bucket->announced;
    bucket->sum_known = bucket->sum_known || !grammar->settings.storage_was_lost;
    bucket->received = bucket->count;
    bucket->count_rule = bucket->count >= 0 && bucket->sum_known ? COUNT_AT_MOST : COUNT_UNKNOWN;
    bucket->more = false;
    bucket->exhausted = false;
}

/* Close all groups up to `priority`. */
static void close_groups(struct wire_grammar *grammar, int32_t priority) {
    for (size_t i = 0; i < grammar->n_fetched; i++) {
        struct wire_bucket *bucket = grammar->fetched[i];
        if (bucket->priority > priority)
            continue;
        check_sum(grammar, bucket);
        wire_bucket_set_fetch(grammar, bucket, FETCH_NONE);
    }
    sweep_fetched(grammar);
}

/* Number of priorities in low..high that surely (or maybe) have something to fetch. */
static size_t open_groups(const struct wire_grammar *grammar, int32_t low, int32_t high, bool maybe) {
    size_t n = 0;
    for (int32_t priority = low; priority <= high; priority++)
        n += grammar->sure[priority] > 0 || (maybe && grammar->maybe[priority] > 0);
    return n;
}

/* False when there is nothing to complete. */
static bool check_completion(struct wire_grammar *grammar, const struct sync_line *line,
                             enum wire_rule rule) {
    if (!grammar->started) {
        wire_fault_at(grammar, WIRE_CHECKPOINT_FIRST, NULL, "a checkpoint|a completion");
        return false;
    }
    if (!grammar->open) {
        wire_fault_at(grammar, rule, NULL,
                      "a new checkpoint first|a completion after the checkpoint was complete");
        return false;
    }
    if (line->last_op_id != grammar->last_op_id)
        wire_fault_at(grammar, rule, NULL, "last_op_id %" PRId64 "|last_op_id %" PRId64, grammar->last_op_id,
                      line->last_op_id);
    return true;
}

void wire_partial_line(struct wire_grammar *grammar, const struct sync_line *line) {
    int32_t priority = line->priority;
    const int32_t last = WIRE_PRIORITIES - 1;
    if (!check_completion(grammar, line, WIRE_PARTIAL_COMPLETE))
        return;
    if (priority > last) {
        wire_fault_at(grammar, WIRE_PARTIAL_COMPLETE, NULL, "a priority from 0 to 3|%" PRId32, priority);
        return;
    }
    if (open_groups(grammar, priority, priority, true) == 0)
        wire_fault_at(grammar, WIRE_PARTIAL_COMPLETE, NULL,
                      "the priority of buckets that are being fetched|priority %" PRId32, priority);
    else if (open_groups(grammar, 0, priority - 1, false) > 0)
        wire_fault_at(grammar, WIRE_PARTIAL_COMPLETE, NULL,
                      "a completion of the more urgent group|priority %" PRId32, priority);
    else if (open_groups(grammar, priority + 1, last, true) == 0)
        wire_fault_at(grammar, WIRE_PARTIAL_COMPLETE, NULL,
                      "checkpoint_complete for the last group|a partial completion of priority %" PRId32,
                      priority);
    close_groups(grammar, priority);
}

void wire_complete_line(struct wire_grammar *grammar, const struct sync_line *line) {
    const int32_t last = WIRE_PRIORITIES - 1;
    if (!check_completion(grammar, line, WIRE_COMPLETE))
        return;
    size_t open = open_groups(grammar, 0, last, false);
    if (open > 1)
        wire_fault_at(grammar, WIRE_PARTIAL_COMPLETE, NULL,
                      "a partial completion of every group but the last|%zu open groups", open);
    close_groups(grammar, last);
    assert(grammar->n_fetched == 0);
    grammar->open = false;
}
