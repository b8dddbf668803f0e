#include "check/key_order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BLOCK_ENTRIES = 256 };

struct key_block {
    size_t count;
    struct key_entry entries[BLOCK_ENTRIES];
};

int key_text_compare(struct key_text a, struct key_text b) {
    const size_t shorter = a.length < b.length ? a.length : b.length;
    const int order = shorter == 0 ? 0 : memcmp(a.text, b.text, shorter);
    return order != 0 ? order : (a.length > b.length) - (a.length < b.length);
}

void key_order_free(struct key_order *order) {
    for (size_t i = 0; i < order->n_blocks; i++)
        free(order->blocks[i]);
    free(order->blocks);
    memset(order, 0, sizeof *order);
}

/* The last block that begins at or before `key`; the first one when all begin later. */
static size_t find_block(const struct key_order *order, struct key_text key) {
    size_t low = 0, high = order->n_blocks;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (key_text_compare(order->blocks[middle]->entries[0].key, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : low - 1;
}

/* The first entry of the block that is not below `key`. */
static size_t find_entry(const struct key_block *block, struct key_text key) {
    size_t low = 0, high = block->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (key_text_compare(block->entries[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void insert_block(struct key_order *order, size_t at, struct key_block *block) {
    MEMORY_RESERVE(order->blocks, order->capacity, order->n_blocks + 1);
    memmove(order->blocks + at + 1, order->blocks + at, (order->n_blocks - at) * sizeof *order->blocks);
    order->blocks[at] = block;
    order->n_blocks++;
}

/* The upper half of a full block becomes a block of its own. */
static void split(struct key_order *order, size_t at) {
    struct key_block *full = order->blocks[at], *upper = memory_allocate(sizeof *upper);
    assert(full->count == BLOCK_ENTRIES);
    upper->count = BLOCK_ENTRIES / 2;
    full->count = BLOCK_ENTRIES - upper->count;
    memcpy(upper->entries, full->entries + full->count, upper->count * sizeof *upper->entries);
    insert_block(order, at + 1, upper);
}

void key_order_add(struct key_order *order, struct key_text key, void *item) {
    if (order->n_blocks == 0)
        insert_block(order, 0, memory_allocate(sizeof(struct key_block)));
    size_t at = find_block(order, key);
    if (order->blocks[at]->count == BLOCK_ENTRIES) {
        split(order, at);
        at = find_block(order, key);
    }
    struct key_block *block = order->blocks[at];
    const size_t entry = find_entry(block, key);
    memmove(block->entries + entry + 1, block->entries + entry,
            (block->count - entry) * sizeof *block->entries);
    block->entries[entry] = (struct key_entry){key, item};
    block->count++;
}

void key_order_remove(struct key_order *order, struct key_text key) {
    if (order->n_blocks == 0)
        return;
    const size_t at = find_block(order, key);
    struct key_block *block = order->blocks[at];
    const size_t entry = find_entry(block, key);
    if (entry == block->count || key_text_compare(block->entries[entry].key, key) != 0)
        return;
    block->count--;
    memmove(block->entries + entry, block->entries + entry + 1,
            (block->count - entry) * sizeof *block->entries);
    if (block->count == 0) {
        free(block);
        order->n_blocks--;
        memmove(order->blocks + at, order->blocks + at + 1, (order->n_blocks - at) * sizeof *order->blocks);
    }
}

struct key_place key_order_seek(const struct key_order *order, struct key_text low) {
    struct key_place place = {0};
    if (order->n_blocks > 0) {
        place.block = find_block(order, low);
        place.entry = find_entry(order->blocks[place.block], low);
    }
    return place;
}

const struct key_entry *key_order_next(const struct key_order *order, struct key_place *place) {
    while (place->block < order->n_blocks && place->entry == order->blocks[place->block]->count) {
        place->block++;
        place->entry = 0;
    }
    return place->block < order->n_blocks ? &order->blocks[place->block]->entries[place->entry++] : NULL;
}
