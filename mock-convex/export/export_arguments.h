/* Arguments of the streaming export endpoints, from the query of a GET or the body of a POST, and the checks
 * that come before a handler reads anything. */
#ifndef MOCK_CONVEX_EXPORT_ARGUMENTS_H
#define MOCK_CONVEX_EXPORT_ARGUMENTS_H

#include "mock-convex/http/auth.h"
#include "mock-convex/state.h"

enum convex_export_endpoint {
    CONVEX_LIST_SNAPSHOT,
    CONVEX_DOCUMENT_DELTAS,
    CONVEX_JSON_SCHEMAS,
    CONVEX_ACTIVE_SYNCS,
    CONVEX_SHAPES,
    CONVEX_KEY_CHECK, /* looks at no data: the plan and the right to view do not matter */
    CONVEX_EXPORT_OTHER
};

struct convex_export_arguments {
    struct convex_caller caller;
    bool knows_alias; /* `tableName` is a filter; while decoding */
    bool has_snapshot;
    int64_t snapshot;
    char *cursor; /* list_snapshot, list_active_syncs; NULL: absent */
    bool has_cursor_ts;
    int64_t cursor_ts; /* document_deltas */
    char *format;      /* NULL: absent */
    char *table;       /* NULL: all */
    char *component;   /* NULL: all, or the root when there is a table */
    json_t *selection; /* formed; owned; it alone decides. NULL: absent */
    bool delta_schema, by_component;
    bool has_limit;
    int64_t limit; /* list_active_syncs */
};

/* Decode and authenticate, in the order of the backend: a GET decodes first, a POST authenticates first. Then
 * the permission check. False: the reply says why. The caller frees the arguments in both cases. */
bool convex_export_admit(struct convex_deployment *deployment, const struct convex_request *request,
                         enum convex_export_endpoint endpoint, struct convex_export_arguments *arguments,
                         struct convex_reply *reply);
/* The gate of the plan and the right to look at data. False: 403. */
bool convex_export_may(const struct convex_deployment *deployment, const struct convex_caller *caller,
                       struct convex_reply *reply);
void convex_export_arguments_free(struct convex_export_arguments *arguments);

/* The checks that the backend makes on the way to its database, after those of each endpoint: names in the
 * filter, and that the caller acts for itself. */
bool convex_export_reach_database(const struct convex_export_arguments *arguments,
                                  struct convex_reply *reply);
/* The value format; json when absent. False: 400 BadFormat. */
bool convex_export_format(const struct convex_export_arguments *arguments, enum convex_format *format,
                          struct convex_reply *reply);
/* Does the filter select this table? `*columns` tells which of its fields, see selection.h. */
bool convex_export_selects(const struct convex_export_arguments *arguments,
                           const struct convex_store_table *table, const json_t **columns);

#endif
