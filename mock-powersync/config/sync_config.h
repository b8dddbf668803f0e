/* The sync config: named streams with what they are compiled to, and which source tables they read. Owns all
 * its text. Anything that this service does not model is refused with the place in the file. */
#ifndef MOCK_POWERSYNC_SYNC_CONFIG_H
#define MOCK_POWERSYNC_SYNC_CONFIG_H

#include "base/yaml.h"
#include "mock-powersync/config/plan.h"

struct legacy_rules;
struct legacy_definition;

struct sync_stream_definition {
    char *name;
    bool auto_subscribe;
    bool is_bucket_definition; /* editions 1 and 2: every client has it, nobody subscribes to it */
    /* Editions 1 and 2: a subscription brings the default buckets, too, even if defaults are not wanted; one
     * to a bucket definition brings nothing else. */
    bool subscription_brings_default;
    int priority;                           /* 0 most urgent .. 3 */
    const struct legacy_rules *rules;       /* with `legacy` */
    const struct legacy_definition *legacy; /* NULL: edition 3, which has what follows */
    const struct sync_plan *plan;
    struct plan_querier *queriers; /* in the plan's arena */
    size_t n_queriers;
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
    struct sync_plan plan;
    struct legacy_rules *rules; /* of editions 1 and 2; else NULL */
};

/* STATUS_INVALID with file, line and column of the key or query that is wrong. The config does not move: what
 * it holds may be pointed to until sync_config_destroy. */
enum status sync_config_parse(struct sync_config **config, const char *text, const char *file,
                              struct error *error);
void sync_config_destroy(struct sync_config *config); /* may be NULL */

bool sync_config_selects(const struct sync_config *config, const struct source_table *table);
/* The index of what `FROM schema.name` selects; `schema` may be NULL or "tag.schema", `name` end with %. */
size_t sync_config_add_pattern(struct sync_config *config, const char *schema, const char *name);
void sync_config_warn(struct sync_config *config, const struct sync_text *text, int offset,
                      const char *message);
/* NULL: no such stream. */
const struct sync_stream_definition *sync_config_stream(const struct sync_config *config, const char *name);

#endif
