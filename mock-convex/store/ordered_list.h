/* An ordered map from byte strings to items (a skip list): what indexes are made of. Keys are copied and
 * unique; items belong to the caller. A zeroed struct is empty. The shape depends only on the sequence of
 * insertions. */
#ifndef MOCK_CONVEX_ORDERED_LIST_H
#define MOCK_CONVEX_ORDERED_LIST_H

#include <stddef.h>
#include <stdint.h>

#define CONVEX_ORDERED_LEVELS 16

struct convex_ordered_node {
    void *item;
    int64_t from;  /* for the user: when an entry became valid */
    int64_t until; /* and when it ceased to be */
    uint32_t key_length;
    uint32_t height;
    struct convex_ordered_node *next[]; /* `height` of them, then the key's bytes */
};

struct convex_ordered {
    struct convex_ordered_node *first[CONVEX_ORDERED_LEVELS];
    uint64_t coins; /* state of the generator that decides heights */
    size_t count;
};

const unsigned char *convex_ordered_key(const struct convex_ordered_node *node);
/* The key must not be there yet. */
struct convex_ordered_node *convex_ordered_insert(struct convex_ordered *list, const void *key, size_t length,
                                                  void *item);
/* The first node whose key is not below `key`; NULL at the end. */
struct convex_ordered_node *convex_ordered_seek(const struct convex_ordered *list, const void *key,
                                                size_t length);
struct convex_ordered_node *convex_ordered_get(const struct convex_ordered *list, const void *key,
                                               size_t length);
static inline struct convex_ordered_node *convex_ordered_first(const struct convex_ordered *list) {
    return list->first[0];
}
static inline struct convex_ordered_node *convex_ordered_next(const struct convex_ordered_node *node) {
    return node->next[0];
}
/* The last node whose key is below `key`; `key` NULL: the last of all. NULL: there is none. */
struct convex_ordered_node *convex_ordered_before(const struct convex_ordered *list, const void *key,
                                                  size_t length);
/* The item that was there, or NULL. */
void *convex_ordered_remove(struct convex_ordered *list, const void *key, size_t length);
void convex_ordered_free(struct convex_ordered *list, void (*free_item)(void *)); /* free_item may be NULL */

/* Byte order, a prefix before what it begins. */
int convex_key_compare(const void *a, size_t a_length, const void *b, size_t b_length);

#endif
