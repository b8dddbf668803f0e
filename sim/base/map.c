#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

/* A slot holds the index of an entry plus 1. The slot of a removed entry stays as it is (its entry has no
 * key), until the next rebuild drops both. */

static uint64_t hash_of(const void *key, size_t length) {
    return XXH3_64bits(key, length);
}

static struct map_entry *find(const struct map *map, const void *key, size_t length, uint64_t hash) {
    if (map->count == 0)
        return NULL;
    size_t mask = map->n_slots - 1;
    for (size_t at = (size_t)hash & mask; map->slots[at]; at = (at + 1) & mask) {
        struct map_entry *entry = &map->entries[map->slots[at] - 1];
        if (entry->key && entry->hash == hash && entry->key_length == length &&
            (length == 0 || memcmp(entry->key, key, length) == 0))
            return entry;
    }
    return NULL;
}

void *map_get_bytes(const struct map *map, const void *key, size_t length) {
    assert(key || length == 0);
    struct map_entry *entry = find(map, key, length, hash_of(key, length));
    return entry ? entry->value : NULL;
}

void *map_get(const struct map *map, const char *key) {
    return map_get_bytes(map, key, strlen(key));
}

bool map_has(const struct map *map, const char *key) {
    size_t length = strlen(key);
    return find(map, key, length, hash_of(key, length)) != NULL;
}

static void place(struct map *map, size_t index) {
    size_t mask = map->n_slots - 1;
    size_t at = (size_t)map->entries[index].hash & mask;
    while (map->slots[at])
        at = (at + 1) & mask;
    map->slots[at] = (uint32_t)(index + 1);
}

/* Close the holes, make room for at least one more entry, and fill the slots anew. */
static void rebuild(struct map *map) {
    size_t used = 0;
    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key)
            map->entries[used++] = map->entries[i];
    assert(used == map->count);
    map->used = used;
    size_t capacity = map->capacity ? map->capacity : 8;
    while (capacity < 2 * (used + 1)) /* at least half free, so that rebuilding stays rare */
        capacity *= 2;
    if (capacity != map->capacity) {
        map->entries = memory_resize(map->entries, capacity, sizeof *map->entries);
        map->capacity = capacity;
        free(map->slots);
        map->n_slots = 2 * capacity;
        map->slots = memory_allocate_array(map->n_slots, sizeof *map->slots);
    } else {
        memset(map->slots, 0, map->n_slots * sizeof *map->slots);
    }
    assert(capacity < UINT32_MAX / 2);
    for (size_t i = 0; i < used; i++)
        place(map, i);
}

void *map_set_bytes(struct map *map, const void *key, size_t length, void *value) {
    assert(key || length == 0);
    uint64_t hash = hash_of(key, length);
    struct map_entry *entry = find(map, key, length, hash);
    if (entry) {
        void *before = entry->value;
        entry->value = value;
        return before;
    }
    if (map->used == map->capacity)
        rebuild(map);
    assert(map->used < map->capacity);
    map->entries[map->used] = (struct map_entry){
        .key = memory_copy_bytes(key, length), .key_length = length, .hash = hash, .value = value};
    place(map, map->used);
    map->used++;
    map->count++;
    return NULL;
}

void *map_set(struct map *map, const char *key, void *value) {
    return map_set_bytes(map, key, strlen(key), value);
}

void *map_remove(struct map *map, const char *key) {
    return map_remove_bytes(map, key, strlen(key));
}

void *map_remove_bytes(struct map *map, const void *key, size_t length) {
    struct map_entry *entry = find(map, key, length, hash_of(key, length));
    if (!entry)
        return NULL;
    void *value = entry->value;
    free(entry->key);
    *entry = (struct map_entry){0};
    assert(map->count > 0);
    map->count--;
    return value;
}

struct map_entry *map_next(const struct map *map, size_t *position) {
    while (*position < map->used) {
        struct map_entry *entry = &map->entries[(*position)++];
        if (entry->key)
            return entry;
    }
    return NULL;
}

void map_clear(struct map *map, void (*free_value)(void *)) {
    for (size_t i = 0; i < map->used; i++) {
        if (!map->entries[i].key)
            continue;
        if (free_value)
            free_value(map->entries[i].value);
        free(map->entries[i].key);
    }
    map->used = 0;
    map->count = 0;
    if (map->slots)
        memset(map->slots, 0, map->n_slots * sizeof *map->slots);
}

void map_free(struct map *map, void (*free_value)(void *)) {
    map_clear(map, free_value);
    free(map->entries);
    free(map->slots);
    *map = (struct map){0};
}
