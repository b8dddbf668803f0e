#include "mock-powersync/storage/pool.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"

struct pool_block {
    struct pool_block *next;
    alignas(POOL_STEP) char bytes[];
};

struct pool_piece {
    struct pool_piece *next;
};

enum { block_bytes = 64 * 1024 - sizeof(struct pool_block) };

static size_t steps_of(size_t size) {
    return size == 0 ? 1 : (size + POOL_STEP - 1) / POOL_STEP;
}

static void *cut(struct pool *pool, size_t size) {
    if (!pool->blocks || block_bytes - pool->used < size) {
        struct pool_block *block = memory_resize(NULL, 1, sizeof *block + block_bytes);
        ASAN_POISON_MEMORY_REGION(block->bytes, block_bytes);
        block->next = pool->blocks;
        pool->blocks = block;
        pool->used = 0;
    }
    void *piece = pool->blocks->bytes + pool->used;
    pool->used += size;
    return piece;
}

void *pool_allocate(struct pool *pool, size_t size) {
    if (size > POOL_LARGEST)
        return memory_resize(NULL, 1, size);
    size_t steps = steps_of(size);
    struct pool_piece *piece = pool->released[steps];
    if (piece) {
        ASAN_UNPOISON_MEMORY_REGION(piece, sizeof *piece);
        pool->released[steps] = piece->next;
    } else {
        piece = cut(pool, steps * POOL_STEP);
    }
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    assert((uintptr_t)piece % POOL_STEP == 0);
    return piece;
}

void pool_release(struct pool *pool, void *thing, size_t size) {
    if (size > POOL_LARGEST) {
        free(thing);
        return;
    }
    struct pool_piece *piece = thing;
    if (!piece)
        return;
    size_t steps = steps_of(size);
    ASAN_UNPOISON_MEMORY_REGION(piece, steps * POOL_STEP);
    piece->next = pool->released[steps];
    pool->released[steps] = piece;
    ASAN_POISON_MEMORY_REGION(piece, steps * POOL_STEP);
}

void pool_free(struct pool *pool) {
    while (pool->blocks) {
        struct pool_block *next = pool->blocks->next;
        ASAN_UNPOISON_MEMORY_REGION(pool->blocks->bytes, block_bytes);
        free(pool->blocks);
        pool->blocks = next;
    }
    *pool = (struct pool){0};
}
