/* The streams of a sync config as the oracle needs them: each query's text, the Convex tables it reads, and
 * whether it has the common form that can be evaluated one document at a time. Only streams with
 * auto_subscribe count, because they are what clients get without asking. The SQL is not interpreted here:
 * SQLite does that.
 *
 * What the oracle does not know: parameters other than auth.user_id(), wildcard tables, the && operator, and
 * the bucket_definitions of older editions. A config that needs them is refused with the place in the file.
 */
#ifndef SYNCLINE_CHECK_ORACLE_STREAMS_H
#define SYNCLINE_CHECK_ORACLE_STREAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct oracle_source {
    char *table; /* Convex table */
    char *alias; /* the name by which columns are qualified; the table's own name when there is no alias */
};

struct oracle_stream {
    char *name;  /* of the stream in the config */
    char *query; /* SELECT ... */
    char *with;  /* "name AS (SELECT ...), " for each common table expression that is in scope; may be "" */
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

/* STATUS_INVALID with a place when the YAML is wrong or needs what the oracle does not know. */
enum status oracle_streams_load(struct oracle_streams *streams, const char *yaml, struct error *error);
void oracle_streams_free(struct oracle_streams *streams);
bool oracle_stream_reads(const struct oracle_stream *stream, const char *table);

#endif
