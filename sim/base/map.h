/* A hash map from text to pointers that iterates in insertion order: nothing ever depends on hash order.
 * A zeroed struct map is empty. Keys are copied; values belong to the caller. Removing keeps the order of the
 * rest. */
#ifndef SYNCLINE_BASE_MAP_H
#define SYNCLINE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
    char *key; /* NULL: removed */
    size_t key_length;
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries; /* in insertion order, with holes */
    size_t used;               /* entries in use, holes included */
    size_t capacity;
    size_t count;    /* live entries */
    uint32_t *slots; /* open addressing: entry index + 1, 0 empty */
    size_t n_slots;
};

void *map_get(const struct map *map, const char *key);
void *map_get_bytes(const struct map *map, const void *key, size_t length);
bool map_has(const struct map *map, const char *key);
/* Returns the value that was there before, or NULL. */
void *map_set(struct map *map, const char *key, void *value);
void *map_set_bytes(struct map *map, const void *key, size_t length, void *value);
void *map_remove(struct map *map, const char *key);
void *map_remove_bytes(struct map *map, const void *key, size_t length);
/* for (size_t i = 0; (e = map_next(map, &i));) ...   Removing the current entry while iterating is allowed.
 */
struct map_entry *map_next(const struct map *map, size_t *position);
void map_clear(struct map *map, void (*free_value)(void *)); /* free_value may be NULL */
void map_free(struct map *map, void (*free_value)(void *));

#endif
