/* The sync config (edition 3 YAML): named streams, each with queries, and which source tables they read. Owns
 * all its text. Anything that this service does not model is refused with the place in the file. */
#ifndef MOCK_POWERSYNC_SYNC_CONFIG_H
#define MOCK_POWERSYNC_SYNC_CONFIG_H

#include "base/map.h"
#include "mock-powersync/config/sync_query.h"

/* A family of buckets of one stream: what a request must fulfil, and the parameters that tell its buckets
 * apart. Branches of a stream's queries whose request side is equal share a family. */
struct sync_variant {
    const struct sync_branch *branch; /* the first of them; its request side counts */
};

struct sync_stream_definition {
    char *name;
    bool auto_subscribe;
    int priority;                  /* 0 most urgent .. 3 */
    struct sync_variant *variants; /* at most 100 */
    size_t n_variants;
};

/* A selected source table, in order of first mention: the order of the snapshot. */
struct sync_table {
    char *name;
    size_t *queries; /* indices */
    size_t n_queries;
    size_t queries_capacity;
};

struct sync_config {
    struct sync_stream_definition *streams;
    size_t n_streams;
    struct sync_query *queries; /* in evaluation order */
    size_t n_queries;
    size_t queries_capacity;
    struct sync_table *tables;
    size_t n_tables;
    size_t tables_capacity;
    struct map table_index; /* name -> index + 1 */
};

/* STATUS_INVALID with file, line and column of the key or query that is wrong. Free with sync_config_free. */
enum status sync_config_parse(struct sync_config *config, const char *text, const char *file,
                              struct error *error);
void sync_config_free(struct sync_config *config);

/* NULL: no query reads this table. */
const struct sync_table *sync_config_table(const struct sync_config *config, const char *name);
/* NULL: no such stream. */
const struct sync_stream_definition *sync_config_stream(const struct sync_config *config, const char *name);

#endif
