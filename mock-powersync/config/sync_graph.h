/* From the variants of a stream's queries to the plan: what tells buckets apart, and the lookups that lead
 * from a request to them. A table whose rows must equal values of another is found through a lookup in an
 * index over its rows; what is equal in several queries is made once. */
#ifndef MOCK_POWERSYNC_SYNC_GRAPH_H
#define MOCK_POWERSYNC_SYNC_GRAPH_H

#include "mock-powersync/config/sync_filter.h"

struct sync_stream_definition;

/* A way for requests to rows, before it is known which of them share buckets. */
struct sync_path {
    struct plan_querier querier;
    char *key;     /* equal for requests that get the same; owned */
    size_t number; /* of the stream's paths */
    size_t *evaluators;
    size_t n_evaluators;
    size_t evaluators_capacity;
};

/* The paths of one stream. */
struct sync_graph {
    struct sync_config *config;
    struct sync_path *paths;
    size_t n_paths;
    size_t capacity;
    size_t next_number;
    const struct sync_text *text; /* of the first query */
};

enum status sync_graph_add(struct sync_graph *graph, const struct sync_query *query,
                           const struct sync_variant *variant, struct error *error);
/* Give the stream its queriers. `warn`: about buckets that anybody can ask for. The graph is freed by
 * sync_graph_free, also after an error. */
enum status sync_graph_finish(struct sync_graph *graph, struct sync_stream_definition *stream, bool warn,
                              struct error *error);
void sync_graph_free(struct sync_graph *graph);

#endif
