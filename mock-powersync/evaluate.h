/* Which buckets a source row belongs to, and what each of them stores for it. Pure: no state. */
#ifndef MOCK_POWERSYNC_EVALUATE_H
#define MOCK_POWERSYNC_EVALUATE_H

#include "mock-powersync/row.h"
#include "mock-powersync/sync_config.h"

/* One row of one bucket. */
struct bucket_output {
    const char *bucket;
    size_t bucket_length;
    const char *object_type; /* lives as long as the config */
    const char *object_id;
    const char *data; /* JSON object text */
    size_t data_length;
};

/* "<number>#<stream>|<variant>[<user>]": number is the replication stream's, from 1; user NULL: no parameter.
 */
void bucket_name_append(struct buffer *out, int number, const char *stream, size_t variant,
                        const struct sql_value *user);

/* Evaluate every query of the table on the document, in the config's order. Everything lives in the arena (or
 * in the document and the config). Returns the number of outputs. */
size_t evaluate_row(const struct sync_config *config, int number, const struct sync_table *table,
                    const json_t *document, struct arena *arena, struct bucket_output **outputs);

#endif
