#include "mock-convex/store/ordered_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int convex_key_compare(const void *a, size_t a_length, const void *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    if (order != 0) {
        return order;
    }
    return a_length < b_length ? -1 : a_length > b_length;
}

const unsigned char *convex_ordered_key(const struct convex_ordered_node *node) {
    return (const unsigned char *)&node->next[node->height];
}

static int compare_node(const struct convex_ordered_node *node, const void *key, size_t length) {
    return convex_key_compare(convex_ordered_key(node), node->key_length, key, length);
}

/* For each level the link that points at the first node not below the key. */
static void find_links(struct convex_ordered *list, const void *key, size_t length,
                       struct convex_ordered_node **links[CONVEX_ORDERED_LEVELS]) {
    struct convex_ordered_node **level = list->first;
    for (int i = CONVEX_ORDERED_LEVELS - 1; i >= 0; i--) {
        while (level[i] != NULL && compare_node(level[i], key, length) < 0) {
            level = level[i]->next;
        }
        links[i] = &level[i];
    }
}

/* 1 with probability 3/4, 2 with 3/16 and so on. A fixed generator: only speed depends on it. */
static uint32_t draw_height(struct convex_ordered *list) {
    uint64_t coins = list->coins != 0 ? list->coins : UINT64_C(0x9e3779b97f4a7c15);
    coins ^= coins << 13;
    coins ^= coins >> 7;
    coins ^= coins << 17;
    list->coins = coins;
    uint32_t height = 1;
    for (uint64_t rest = coins >> 8; (rest & 3) == 0 && height < CONVEX_ORDERED_LEVELS; rest >>= 2) {
        height++;
    }
    return height;
}

struct convex_ordered_node *convex_ordered_insert(struct convex_ordered *list, const void *key, size_t length,
                                                  void *item) {
    assert(key != NULL && length <= UINT32_MAX);
    struct convex_ordered_node **links[CONVEX_ORDERED_LEVELS];
    find_links(list, key, length, links);
    assert(*links[0] == NULL || compare_node(*links[0], key, length) != 0);
    uint32_t height = draw_height(list);
    struct convex_ordered_node *node = memory_allocate(sizeof *node + height * sizeof node->next[0] + length);
    node->item = item;
    node->height = height;
    node->key_length = (uint32_t)length;
    for (uint32_t i = 0; i < height; i++) {
        node->next[i] = *links[i];
        *links[i] = node;
    }
    memcpy(&node->next[height], key, length);
    list->count++;
    return node;
}

struct convex_ordered_node *convex_ordered_seek(const struct convex_ordered *list, const void *key,
                                                size_t length) {
    struct convex_ordered_node *const *level = list->first;
    for (int i = CONVEX_ORDERED_LEVELS - 1; i >= 0; i--) {
        while (level[i] != NULL && compare_node(level[i], key, length) < 0) {
            level = level[i]->next;
        }
    }
    return level[0];
}

struct convex_ordered_node *convex_ordered_before(const struct convex_ordered *list, const void *key,
                                                  size_t length) {
    struct convex_ordered_node *const *level = list->first;
    struct convex_ordered_node *last = NULL;
    for (int i = CONVEX_ORDERED_LEVELS - 1; i >= 0; i--) {
        while (level[i] != NULL && (key == NULL || compare_node(level[i], key, length) < 0)) {
            last = level[i];
            level = last->next;
        }
    }
    return last;
}

struct convex_ordered_node *convex_ordered_get(const struct convex_ordered *list, const void *key,
                                               size_t length) {
    struct convex_ordered_node *node = convex_ordered_seek(list, key, length);
    return node != NULL && compare_node(node, key, length) == 0 ? node : NULL;
}

void *convex_ordered_remove(struct convex_ordered *list, const void *key, size_t length) {
    struct convex_ordered_node **links[CONVEX_ORDERED_LEVELS];
    find_links(list, key, length, links);
    struct convex_ordered_node *node = *links[0];
    if (node == NULL || compare_node(node, key, length) != 0) {
        return NULL;
    }
    for (uint32_t i = 0; i < node->height; i++) {
        assert(*links[i] == node);
        *links[i] = node->next[i];
    }
    void *item = node->item;
    free(node);
    assert(list->count > 0);
    list->count--;
    return item;
}

void convex_ordered_free(struct convex_ordered *list, void (*free_item)(void *)) {
    struct convex_ordered_node *node = list->first[0];
    while (node != NULL) {
        struct convex_ordered_node *next = node->next[0];
        if (free_item != NULL) {
            free_item(node->item);
        }
        free(node);
        node = next;
    }
    memset(list, 0, sizeof *list);
}
