/* Compaction: makes histories shorter without changing what they say.
 *
 * An operation that a later one of the same row replaces becomes a MOVE; then a bucket's leading operations
 * that are no PUTs become one CLEAR. Checksums at the compaction's end and beyond stay what they are. Whoever
 * holds an earlier complete checkpoint and gets the rest afterwards ends with the same rows. A checkpoint in
 * between cannot be told any more: bucket_is_compacted_past() says so. The parameter index keeps only what
 * checkpoints from the present one on see, so a reader takes parameters at the present checkpoint only. */
#ifndef MOCK_POWERSYNC_COMPACTION_H
#define MOCK_POWERSYNC_COMPACTION_H

#include "mock-powersync/storage/storage.h"

struct compaction_options {
    uint64_t max_op;           /* operations above it stay as they are; 0, or above the checkpoint: it */
    size_t minimum_operations; /* new ones since the last time, or the bucket is left alone; usual 10 */
    int minimum_percent;       /* of all operations that are new; usual 10 */
    const char *const *names;  /* only these buckets, whatever is new in them, and no
                                  parameters; NULL: all */
    size_t n_names;
    int64_t expire_before; /* forget write checkpoints that clients supplied before this wall clock time, ns;
                              0: none */
};

/* What a compaction without wishes does. */
struct compaction_options compaction_usual(void);

struct compaction_result {
    size_t moved;      /* operations that became MOVEs */
    size_t cleared;    /* operations that went into CLEARs */
    size_t parameters; /* versions dropped from the parameter index */
    size_t expired;    /* write checkpoints */
};

/* Compact one stream, or all (`stream` NULL), and flush. STATUS_IO: the file could not be written; it will be
 * by the next flush. `options` NULL: usual; `result` may be NULL. */
enum status storage_compact(struct storage *storage, struct replication_stream *stream,
                            const struct compaction_options *options, struct compaction_result *result,
                            struct error *error);

#endif
