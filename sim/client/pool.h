/* The pool's inside: connections set up for the client core, and clones of the template database, in memory
 * or as files. A clone costs a tenth of a fresh powersync_init. */
#ifndef SYNCLINE_CLIENT_POOL_H
#define SYNCLINE_CLIENT_POOL_H

#include "base/buffer.h"
#include "client/client.h"

#define POOL_FILE "app.db" /* of a client, on its node's disk */
#define POOL_LOG_FILE "app.db-wal"

const struct client_schema *pool_schema(const struct client_pool *pool); /* what clients begin with */
enum status pool_check_schema(const struct client_schema *schema, struct error *error);
/* The text that powersync_replace_schema takes. */
void pool_append_schema(struct buffer *out, const struct client_schema *schema);
enum client_engine pool_engine(const struct client_pool *pool);
/* What the pool's clients with the engine `model` share. */
struct model_shared *pool_model(struct client_pool *pool, const struct client_schema *schema);
struct disk_vfs *pool_vfs(const struct client_pool *pool);
struct view_answer *pool_answer(const struct client_pool *pool); /* of all views */

/* Where this node's clients have their database; NULL: in memory. */
const struct client_disk *pool_disk(const struct client_pool *pool, const struct host *host);

/* A copy of the template with a client id of its own. The caller closes it; the host must outlive it. */
enum status pool_clone(struct client_pool *pool, struct host *host, sqlite3 **database, struct error *error);
/* One more connection on a disk that is shared. */
enum status pool_join(struct client_pool *pool, struct host *host, sqlite3 **database, struct error *error);
/* A new connection on what is committed in `source`: a copy of it, or with a disk what is there (`source` is
 * not looked at). STATUS_IO: the disk does not let it be opened; STATUS_INVALID: it is damaged. */
enum status pool_reopen(struct client_pool *pool, struct host *host, sqlite3 *source, sqlite3 **database,
                        struct error *error);

#endif
