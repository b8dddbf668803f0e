/* Which buckets a source row belongs to, and what each of them stores for it; which buckets a request gets.
 * Pure: no state. */
#ifndef MOCK_POWERSYNC_EVALUATE_H
#define MOCK_POWERSYNC_EVALUATE_H

#include "mock-powersync/config/row.h"
#include "mock-powersync/config/sync_config.h"

/* One row of one bucket. */
struct bucket_output {
    const char *bucket;
    size_t bucket_length;
    const char *object_type;
    const char *object_id;
    const char *data; /* JSON object text */
    size_t data_length;
};

/* One entry of the parameter index. The key says which lookup and with which values (opaque bytes; 1 and 1.0
 * are equal); `values` is a JSON array of tuples, each an array: [["t1"],["t2"]]. A row has at most one entry
 * of a key. */
struct lookup_output {
    const char *key;
    size_t key_length;
    const char *values;
    size_t values_length;
};

struct row_outputs {
    struct bucket_output *buckets; /* in the config's order */
    size_t n_buckets;
    struct lookup_output *lookups;
    size_t n_lookups;
    size_t failed; /* queries that could not be evaluated on the row; they give nothing */
};

/* What the row contributes. Everything lives in the arena, the row and the config. The names are
 * "<number>#<stream>|<variant>[<parameters>]": number is the replication stream's, from 1. */
void evaluate_row(const struct sync_config *config, int number, const struct source_table *table,
                  const struct row *row, struct arena *arena, struct row_outputs *outputs);

/* What the parameter index says at one checkpoint. `find` calls `each` with every tuple (JSON array text)
 * that rows left under the key; false: stop, a limit was exceeded. */
struct lookup_source {
    bool (*find)(void *context, const char *key, size_t key_length,
                 void (*each)(void *each_context, const char *tuple, size_t length), void *each_context);
    void *context;
};

struct request_bucket {
    const char *name;
    int priority; /* of the stream; in bucket definitions a query can have its own */
};

/* A stream's buckets for one subscription, in the arena; a bucket that is reached twice is there twice.
 * `lookups` may be NULL for a stream without lookups. False with a reason (a constant): something could not
 * be evaluated, the buckets of the rest are there all the same; or a lookup was stopped, then there are none.
 */
bool evaluate_request(const struct sync_stream_definition *stream, int number,
                      const struct sync_request_values *values, const struct lookup_source *lookups,
                      struct arena *arena, struct request_bucket **buckets, size_t *count,
                      const char **reason);
/* False: the stream's buckets never change during a connection. */
bool sync_stream_has_lookups(const struct sync_stream_definition *stream);

/* JSON text of request parameters as expressions see them: all numbers are floating. The caller frees it. */
char *evaluate_request_text(const json_t *parameters);

#endif
