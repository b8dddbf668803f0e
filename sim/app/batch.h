/* One local transaction of an app being put together: rows to write, the action's own random numbers, and
 * questions to the views through the app's connection. Questions must say ORDER BY: nothing may depend on how
 * SQLite happens to walk a table. */
#ifndef SYNCLINE_APP_BATCH_H
#define SYNCLINE_APP_BATCH_H

#include "app/app.h"
#include "base/random.h"

enum { BATCH_ROWS_MOST = 20, BATCH_ID_SIZE = 64 };

struct batch {
    struct client *client;
    int64_t rows;             /* how many rows the action should touch, 1..20 */
    const char *const *users; /* of the scenario */
    size_t n_users;
    struct random_stream chance; /* from action->choice */
    struct random_stream ids;    /* of new rows, from the client's own random numbers */
    const char *step;
    char created_at[40];
    struct client_operation operations[BATCH_ROWS_MOST];
    char row_ids[BATCH_ROWS_MOST][BATCH_ID_SIZE];
    size_t count;
    bool may_be_refused; /* by the client core: the app tells its user, and nothing is written */
};

/* Takes `values` (NULL for CLIENT_DELETE without metadata); the batch must have room for the row. `id` NULL:
 * a row without one. */
void batch_add(struct batch *batch, enum client_operation_kind kind, const char *table, const char *id,
               json_t *values);
/* Has it something of the row already? A transaction touches a row once. */
bool batch_has(const struct batch *batch, const char *id);

/* The caller finalizes the statement. */
sqlite3_stmt *batch_query(struct batch *batch, const char *sql);
int64_t batch_query_integer(struct batch *batch, const char *sql);
/* The id of one of the rows of `table` that fulfil `condition` (SQL), by its place in the order of ids.
 * False: there is none. */
bool batch_pick(struct batch *batch, const char *table, const char *condition, char id[BATCH_ID_SIZE]);
/* Cut to the size of `out`; "" for NULL. */
void batch_copy_text(char *out, size_t size, const unsigned char *text);

#endif
