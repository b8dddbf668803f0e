/* The sync config: named streams with what they are compiled to, and which source tables they read. Owns all
 * its text. Anything that this service does not model is refused with the place in the file. */
#ifndef MOCK_POWERSYNC_SYNC_CONFIG_H
#define MOCK_POWERSYNC_SYNC_CONFIG_H

#include "mock-powersync/config/source_table.h"
#include "mock-powersync/config/sync_query.h"

/* A family of buckets of one stream: what a request must fulfil, and the parameters that tell its buckets
 * apart. Branches of a stream's queries whose request side is equal share a family. */
struct sync_variant {
    const struct sync_branch *branch; /* the first of them; its request side counts */
};

struct sync_stream_definition {
    char *name;
    bool auto_subscribe;
    bool is_bucket_definition;     /* editions 1 and 2: every client has it, nobody subscribes to it */
    int priority;                  /* 0 most urgent .. 3 */
    struct sync_variant *variants; /* at most 100 */
    size_t n_variants;
};

/* Something that the author of a config should know; line and column 0: of the whole. */
struct sync_warning {
    char *message;
    int line, column;
};

struct sync_config {
    int edition;
    char *file; /* its name in messages */
    struct sync_stream_definition *streams;
    size_t n_streams;
    struct source_pattern *patterns; /* in order of first mention: the order of the snapshot */
    size_t n_patterns;
    size_t patterns_capacity;
    struct sync_warning *warnings;
    size_t n_warnings;
    size_t warnings_capacity;
    struct sync_query *queries; /* in evaluation order */
    size_t n_queries;
    size_t queries_capacity;
};

/* STATUS_INVALID with file, line and column of the key or query that is wrong. The config does not move: what
 * it holds may be pointed to until sync_config_destroy. */
enum status sync_config_parse(struct sync_config **config, const char *text, const char *file,
                              struct error *error);
void sync_config_destroy(struct sync_config *config); /* may be NULL */

bool sync_config_selects(const struct sync_config *config, const struct source_table *table);
/* NULL: no such stream. */
const struct sync_stream_definition *sync_config_stream(const struct sync_config *config, const char *name);

#endif
