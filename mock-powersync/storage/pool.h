/* Memory for very many small things that come and go: no bytes of bookkeeping for each of them, what is
 * released is used again for things of the same size. Sizes are rounded up to 8 bytes; large things come from
 * the heap one by one. */
#ifndef MOCK_POWERSYNC_POOL_H
#define MOCK_POWERSYNC_POOL_H

#include <stddef.h>

enum { POOL_STEP = 8, POOL_LARGEST = 1024 };

struct pool_block;
struct pool_piece;

/* Zeroed: empty. */
struct pool {
    struct pool_block *blocks;                                 /* newest first */
    size_t used;                                               /* bytes of the newest */
    struct pool_piece *released[POOL_LARGEST / POOL_STEP + 1]; /* by size */
};

void *pool_allocate(struct pool *pool, size_t size); /* not zeroed; aligned to 8 bytes */
/* `size` as it was asked for; NULL is ignored. */
void pool_release(struct pool *pool, void *thing, size_t size);
void pool_free(struct pool *pool); /* all but large things, which must have been released */

#endif
