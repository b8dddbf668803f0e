/* What most apps have in common: synced tables with the index that uploads look rows up by, the table of
 * receipts, the function behind uploads, and documents that are there from the start. */
#ifndef SYNCLINE_APP_PARTS_H
#define SYNCLINE_APP_PARTS_H

#include "app/app.h"

#define APP_ROOM(array) (sizeof(array) / sizeof *(array))

extern const struct convex_index app_by_uuid[1];
extern const struct convex_index app_by_client_transaction[1];

/* Elements of `tables`. */
#define APP_SYNCED_TABLE(name_)                                                                              \
    { .name = name_, .indexes = app_by_uuid, .n_indexes = 1 }
#define APP_RECEIPTS                                                                                         \
    { .name = "upload_receipts", .indexes = app_by_client_transaction, .n_indexes = 1 }
/* Element of `functions`, beside APP_UPLOAD_FUNCTIONS. */
#define APP_PLANTING                                                                                         \
    { .path = "app:plant", .kind = CONVEX_MUTATION, .run = app_insert_rows }
/* A stream of all rows of a table, for everybody; part of `sync_config`. */
#define APP_STREAM(table_)                                                                                   \
    "  " table_ ":\n"                                                                                        \
    "    auto_subscribe: true\n"                                                                             \
    "    query: SELECT *, uuid AS id FROM " table_ "\n"
/* The usual: tables, functions and schema from arrays of these names. */
#define APP_DECLARED                                                                                         \
    .sync_config = sync_config, .schema = &schema, .tables = tables, .n_tables = APP_ROOM(tables),           \
    .functions = functions, .n_functions = APP_ROOM(functions), .actions = actions

/* Mutation "app:plant", args {table: [documents], ...}: inserts them all. */
enum status app_insert_rows(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error);
/* Calls it: all rows come in one commit. Takes `rows`. */
enum status app_plant(struct convex_deployment *deployment, struct convex_value *rows, struct error *error);
/* A document with this uuid, appended to the list of `table` in `rows`; borrowed. */
struct convex_value *app_plant_row(struct convex_value *rows, const char *table, const char *uuid);

/* The document of a client's row in this transaction, borrowed until the next write; NULL: there is none. */
enum status app_row(struct convex_context *context, const char *table, const char *uuid,
                    const struct convex_value **document, struct error *error);
/* A number field, a whole number; 0 where there is none. */
int64_t app_whole(const struct convex_value *document, const char *field);
/* Sets one number field of the document. */
enum status app_set_whole(struct convex_context *context, const char *table, const char *id,
                          const char *field, int64_t value, struct error *error);

#endif
