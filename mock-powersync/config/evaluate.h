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
    const char *object_type; /* lives as long as the config */
    const char *object_id;
    const char *data; /* JSON object text */
    size_t data_length;
};

/* Evaluate every query of the table on the document, in the config's order. Everything lives in the arena (or
 * in the document and the config). Returns the number of outputs. A query that fails on the row gives none;
 * `failed` (may be NULL) says how many did. */
size_t evaluate_row(const struct sync_config *config, int number, const struct sync_table *table,
                    const json_t *document, struct arena *arena, struct bucket_output **outputs,
                    size_t *failed);

/* The names of a stream's buckets for one subscription, in the arena; a bucket that is reached twice is there
 * twice. The names are "<number>#<stream>|<variant>[<parameters>]": number is the replication stream's,
 * from 1. False with a reason: some of its families failed; the buckets of the others are there all the same.
 */
bool evaluate_request(const struct sync_stream_definition *stream, int number,
                      const struct sync_request_values *values, struct arena *arena, const char ***names,
                      size_t *count, const char **reason);

/* JSON text of request parameters as expressions see them: all numbers are floating. The caller frees it. */
char *evaluate_request_text(const json_t *parameters);

#endif
