/* One query of a sync stream: SQL text in, what to copy and for whom out. Parsed as Postgres SQL, as the real
 * service does; everything outside the supported form is refused, never guessed at.
 *
 * Supported: SELECT items FROM [convex.]table [AS "output name"] [WHERE column = auth.user_id()], where an
 * item is *, a column, or a column AS alias, each optionally qualified. Unquoted names fold to lower case. */
#ifndef MOCK_POWERSYNC_SYNC_QUERY_H
#define MOCK_POWERSYNC_SYNC_QUERY_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct sync_query_item {
    char *source; /* column of the source row; NULL: all of them */
    char *output; /* name in the synced row; NULL with source NULL */
};

struct sync_query {
    char *table;       /* source table */
    char *object_type; /* table name at the client: the alias, else the source name */
    struct sync_query_item *items;
    size_t n_items;
    char *user_column; /* rows go to the user whose id this column holds; NULL: to everybody */
    size_t stream;     /* index of the stream */
    size_t variant;    /* which of the stream's bucket families it feeds */
};

/* STATUS_INVALID with a message that quotes the position inside the query (from 1). On success free with
 * sync_query_free; `query` is overwritten. */
enum status sync_query_parse(struct sync_query *query, const char *sql, struct error *error);
void sync_query_free(struct sync_query *query);

#endif
