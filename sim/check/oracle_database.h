/* The oracle's database: the newest state of every Convex document that some stream reads, in SQLite, one
 * table for a Convex table, with a column for each field from the first time that it is seen and no type
 * affinity anywhere. It evaluates the streams' own SQL; what the request says becomes columns of a table of
 * requests (one-table queries: all of them in one go for one document) or parameters (any other query: one
 * request, all documents).
 *
 * The mapping from Convex JSON to SQLite values is written here once more, on purpose apart from the
 * service's. The database never draws random numbers and never asks for the time: SQLite's are shared with
 * the clients. */
#ifndef SYNCLINE_CHECK_ORACLE_DATABASE_H
#define SYNCLINE_CHECK_ORACLE_DATABASE_H

#include <stddef.h>

#include "check/oracle_streams.h"
#include "client/client.h"

struct oracle_database;

/* Who asks: a user and what his client asks for. */
struct oracle_subject {
    const char *user;
    struct oracle_request request;
};

/* A row of a client's table. `user` is an index into the subjects. Texts are borrowed for the duration of the
 * call. */
typedef void oracle_row_function(void *context, size_t user, const char *id, const char *text);

/* All pointers are borrowed. STATUS_INVALID when SQLite does not understand a stream. */
enum status oracle_database_create(const struct oracle_streams *streams, const struct client_schema *schema,
                                   const struct oracle_subject *subjects, size_t n_subjects,
                                   struct oracle_database **database, struct error *error);
void oracle_database_destroy(struct oracle_database *database);

/* The document's new state as JSON object text; NULL: deleted. Text that is not a JSON object leaves only the
 * id. */
void oracle_database_put(struct oracle_database *database, const char *table, const char *id,
                         const char *json);

/* What a one-table stream makes of one document, for every subject; or what any stream gives one subject. A
 * row may come more than once: for several subscriptions of one stream. */
void oracle_database_document(struct oracle_database *database, size_t stream, const char *id,
                              oracle_row_function *row, void *context);
void oracle_database_user(struct oracle_database *database, size_t stream, size_t user,
                          oracle_row_function *row, void *context);

#endif
