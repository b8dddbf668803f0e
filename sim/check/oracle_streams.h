/* The streams of a sync config as the oracle needs them: each query's text, the Convex tables it reads, and
 * whether it has the common form that can be evaluated one document at a time. Streams that nobody gets
 * (neither auto_subscribe nor asked for) are left out. The SQL is not interpreted here: check/oracle_sql.h
 * writes it anew for SQLite, which does the rest.
 *
 * What the oracle does not know: the bucket_definitions of older editions, a wildcard table without an alias
 * beside other tables, and what check/oracle_sql.h refuses. A config that needs it is refused with the place
 * in the file. */
#ifndef SYNCLINE_CHECK_ORACLE_STREAMS_H
#define SYNCLINE_CHECK_ORACLE_STREAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "client/client.h"

struct oracle_source {
    char *table; /* Convex table; a wildcard (with its final %) for all whose names begin so */
    char *alias; /* the name by which columns are qualified; the table's own name when there is no alias */
};

struct oracle_stream {
    char *name;     /* of the stream in the config */
    bool automatic; /* everybody gets it without asking */
    int priority;   /* 0 most urgent to 3 */
    char *query;    /* SELECT ... */
    char *with; /* "name AS (SELECT ...), " for each common table expression that is in scope; may be "" */
    char *output_table;            /* the clients' table: alias of the first FROM item */
    struct oracle_source *sources; /* every table read, subqueries and CTEs included */
    size_t n_sources;
    /* `SELECT columns FROM table [WHERE condition]` and no other table: a document decides alone where it
     * belongs. */
    bool one_table;
    char *columns;   /* one_table: the text between SELECT and FROM */
    char *condition; /* one_table: the text after WHERE, or NULL */
};

struct oracle_streams {
    struct oracle_stream *items;
    size_t count;
};

/* What a client asks for beside the default streams. Pointers are borrowed. */
struct oracle_request {
    const char *parameters; /* of the connection, JSON object text; NULL: {} */
    const struct client_subscription *subscriptions;
    size_t n_subscriptions;
};

/* STATUS_INVALID with a place when the YAML is wrong or needs what the oracle does not know. A wildcard table
 * without an alias stands for the client tables of the schema with such names: rows of others are not seen.
 */
enum status oracle_streams_load(struct oracle_streams *streams, const char *yaml,
                                const struct client_schema *schema, const struct oracle_request *requests,
                                size_t n_requests, struct error *error);
void oracle_streams_free(struct oracle_streams *streams);
bool oracle_stream_reads(const struct oracle_stream *stream, const char *table);

#endif
