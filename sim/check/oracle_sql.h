/* From a stream's SQL to SQLite's: a request's values become columns or parameters, JSON arrays after IN and
 * around && become queries on json_each, `x::type` becomes CAST, and NOT, != and NOT IN admit rows with NULL
 * as the service does. Everything else is copied token by token, and SQLite gives it its meaning.
 *
 * What cannot be told apart by words (an != whose sides are sums, NOT BETWEEN) is refused with a reason. */
#ifndef SYNCLINE_CHECK_ORACLE_SQL_H
#define SYNCLINE_CHECK_ORACLE_SQL_H

#include <stdbool.h>

#include "base/buffer.h"

/* What stands for the request in the SQL: columns, or parameters such as ?1. */
struct oracle_sql_request {
    const char *user;         /* auth.user_id() */
    const char *token;        /* auth.parameters(): JSON text */
    const char *connection;   /* connection.parameters() */
    const char *subscription; /* subscription.parameters() */
};

/* SQL functions of the oracle's database that the result may call: parameter(JSON object, name) and
 * overlap(JSON array, JSON array). */
#define ORACLE_SQL_PARAMETER "\"oracle parameter\""
#define ORACLE_SQL_OVERLAP "\"oracle overlap\""

/* Appends the translation of `text`. `with` is the text that defines common table expressions ("name" AS
 * (...), ): a name after IN that is one of them is not an array. NULL: done; else why not (static text). */
const char *oracle_sql_translate(struct buffer *out, const char *text, const char *with,
                                 const struct oracle_sql_request *request);

/* Whether `"name" AS (` stands in a text of common table expressions. */
bool oracle_sql_defines(const char *with, const char *name);

#endif
