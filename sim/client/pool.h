/* The pool's inside: connections set up for the client core, and clones of the template database. A clone
 * costs a tenth of a fresh powersync_init. */
#ifndef SYNCLINE_CLIENT_POOL_H
#define SYNCLINE_CLIENT_POOL_H

#include "client/client.h"

const struct client_schema *pool_schema(const struct client_pool *pool);
enum client_engine pool_engine(const struct client_pool *pool);
/* What the pool's clients with the engine `model` share. */
struct model_shared *pool_model(const struct client_pool *pool);
struct disk_vfs *pool_vfs(const struct client_pool *pool);

/* A copy of the template with a client id of its own. The caller closes it; the host must outlive it. */
enum status pool_clone(struct client_pool *pool, struct host *host, sqlite3 **database, struct error *error);
/* A new connection on a copy of what is committed in `source`. */
enum status pool_copy(struct client_pool *pool, struct host *host, sqlite3 *source, sqlite3 **database,
                      struct error *error);

#endif
