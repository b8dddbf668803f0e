/* A treap in the order of (low, high); each node knows the highest end of an interval at or below it. */
#include "mock-convex/store/interval_map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct convex_interval_node {
    struct convex_interval_node *left, *right;
    const struct convex_interval_node *farthest; /* at or below this one, the one that ends last */
    struct convex_interval_holder *holders;      /* at least one */
    uint64_t priority;                           /* a parent's is not below its children's */
    uint32_t low_length, high_length;
    bool bounded;          /* else it has no high key */
    unsigned char bytes[]; /* low, then high */
};

static const unsigned char *high_of(const struct convex_interval_node *node) {
    return node->bytes + node->low_length;
}

/* Does an interval with this end (NULL: none) end before, with or after the node's? */
static int compare_high(const void *high, size_t length, const struct convex_interval_node *node) {
    if (high == NULL || !node->bounded) {
        return (high == NULL) - !node->bounded;
    }
    return convex_key_compare(high, length, high_of(node), node->high_length);
}

static int compare(const struct convex_interval *interval, const struct convex_interval_node *node) {
    int order = convex_key_compare(interval->low, interval->low_length, node->bytes, node->low_length);
    return order != 0 ? order : compare_high(interval->high, interval->high_length, node);
}

static const struct convex_interval_node *later(const struct convex_interval_node *a,
                                                const struct convex_interval_node *b) {
    if (b == NULL) {
        return a;
    }
    return compare_high(b->bounded ? high_of(b) : NULL, b->high_length, a) > 0 ? b : a;
}

static void refresh(struct convex_interval_node *node) {
    node->farthest = later(node, node->left != NULL ? node->left->farthest : NULL);
    node->farthest = later(node->farthest, node->right != NULL ? node->right->farthest : NULL);
}

static struct convex_interval_node *make_node(struct convex_interval_map *map,
                                              const struct convex_interval *interval) {
    size_t high_length = interval->high != NULL ? interval->high_length : 0;
    struct convex_interval_node *node = memory_allocate(sizeof *node + interval->low_length + high_length);
    uint64_t coins = map->coins != 0 ? map->coins : UINT64_C(0x9e3779b97f4a7c15);
    coins ^= coins << 13;
    coins ^= coins >> 7;
    coins ^= coins << 17;
    map->coins = node->priority = coins;
    assert(interval->low_length <= UINT32_MAX && high_length <= UINT32_MAX);
    node->low_length = (uint32_t)interval->low_length;
    node->high_length = (uint32_t)high_length;
    node->bounded = interval->high != NULL;
    memcpy(node->bytes, interval->low, interval->low_length);
    if (node->bounded) {
        memcpy(node->bytes + interval->low_length, interval->high, high_length);
    }
    node->farthest = node;
    return node;
}

static struct convex_interval_node *rotate_right(struct convex_interval_node *top) {
    struct convex_interval_node *left = top->left;
    top->left = left->right;
    left->right = top;
    refresh(top);
    return left;
}

static struct convex_interval_node *rotate_left(struct convex_interval_node *top) {
    struct convex_interval_node *right = top->right;
    top->right = right->left;
    right->left = top;
    refresh(top);
    return right;
}

/* The node of this interval, made where it is missing, below `top`. Returns what is at the top then. */
static struct convex_interval_node *insert(struct convex_interval_map *map, struct convex_interval_node *top,
                                           const struct convex_interval *interval,
                                           struct convex_interval_node **node) {
    if (top == NULL) {
        return *node = make_node(map, interval);
    }
    int order = compare(interval, top);
    if (order == 0) {
        *node = top;
        return top;
    }
    if (order < 0) {
        top->left = insert(map, top->left, interval, node);
        top = top->left->priority > top->priority ? rotate_right(top) : top;
    } else {
        top->right = insert(map, top->right, interval, node);
        top = top->right->priority > top->priority ? rotate_left(top) : top;
    }
    refresh(top);
    return top;
}

void convex_interval_map_add(struct convex_interval_map *map, const struct convex_interval *interval,
                             struct convex_interval_holder *holder) {
    struct convex_interval_node *node = NULL;
    map->root = insert(map, map->root, interval, &node);
    assert(node != NULL && compare(interval, node) == 0);
    holder->node = node;
    holder->next = node->holders;
    holder->link = &node->holders;
    if (holder->next != NULL) {
        holder->next->link = &holder->next;
    }
    node->holders = holder;
}

/* Everything of `a` is before everything of `b`. */
static struct convex_interval_node *merge(struct convex_interval_node *a, struct convex_interval_node *b) {
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    struct convex_interval_node *top = a->priority >= b->priority ? a : b;
    if (top == a) {
        a->right = merge(a->right, b);
    } else {
        b->left = merge(a, b->left);
    }
    refresh(top);
    return top;
}

static struct convex_interval_node *take_out(struct convex_interval_node *top,
                                             const struct convex_interval *interval) {
    assert(top != NULL);
    int order = compare(interval, top);
    if (order == 0) {
        return merge(top->left, top->right);
    }
    if (order < 0) {
        top->left = take_out(top->left, interval);
    } else {
        top->right = take_out(top->right, interval);
    }
    refresh(top);
    return top;
}

void convex_interval_map_remove(struct convex_interval_map *map, struct convex_interval_holder *holder) {
    struct convex_interval_node *node = holder->node;
    assert(node != NULL);
    *holder->link = holder->next;
    if (holder->next != NULL) {
        holder->next->link = holder->link;
    }
    holder->node = NULL;
    if (node->holders == NULL) {
        const struct convex_interval interval = {.low = node->bytes,
                                                 .low_length = node->low_length,
                                                 .high = node->bounded ? high_of(node) : NULL,
                                                 .high_length = node->high_length};
        map->root = take_out(map->root, &interval);
        free(node);
    }
}

struct search {
    const void *key;
    size_t length;
    void (*found)(void *context, void *owner);
    void *context;
};

static void find(const struct search *search, const struct convex_interval_node *node) {
    while (node != NULL && compare_high(search->key, search->length, node->farthest) < 0) {
        find(search, node->left);
        if (convex_key_compare(search->key, search->length, node->bytes, node->low_length) < 0) {
            return; /* those to the right begin even later */
        }
        if (compare_high(search->key, search->length, node) < 0) {
            for (const struct convex_interval_holder *holder = node->holders; holder != NULL;
                 holder = holder->next) {
                search->found(search->context, holder->owner);
            }
        }
        node = node->right;
    }
}

void convex_interval_map_find(const struct convex_interval_map *map, const void *key, size_t length,
                              void (*found)(void *context, void *owner), void *context) {
    const struct search search = {.key = key, .length = length, .found = found, .context = context};
    assert(key != NULL);
    find(&search, map->root);
}
