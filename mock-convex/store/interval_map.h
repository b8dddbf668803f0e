/* Intervals of index keys, and who holds them: which holders have an interval that a key falls in? Equal
 * intervals are kept once, so a thousand holders of one range cost a thousand small records and one copy of
 * its keys. A search takes about log(intervals) steps, and one for each that is found.
 *
 * A zeroed map is empty. Holders belong to the caller and stay where they are while they are in the map; a
 * map that has lost its last holder owns nothing. Nothing here fails. */
#ifndef MOCK_CONVEX_INTERVAL_MAP_H
#define MOCK_CONVEX_INTERVAL_MAP_H

#include "mock-convex/store/transaction.h"

struct convex_interval_node;

struct convex_interval_map {
    struct convex_interval_node *root;
    uint64_t coins; /* state of the generator that shapes the tree: only speed depends on it */
};

struct convex_interval_holder {
    void *owner;                       /* for the caller */
    struct convex_interval_node *node; /* for the map, as the others */
    struct convex_interval_holder *next, **link;
};

/* All keys of `interval` (its index is not looked at, its keys are copied). */
void convex_interval_map_add(struct convex_interval_map *map, const struct convex_interval *interval,
                             struct convex_interval_holder *holder);
void convex_interval_map_remove(struct convex_interval_map *map, struct convex_interval_holder *holder);
/* Call found(context, owner) for every holder of an interval with this key. It must not change the map. */
void convex_interval_map_find(const struct convex_interval_map *map, const void *key, size_t length,
                              void (*found)(void *context, void *owner), void *context);

#endif
