#include "mock-powersync/stream/stream_buckets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void bucket_changed(void *context) {
    struct stream_bucket *bucket = context;
    bucket->changed = true;
    bucket->owner->wake(bucket->owner->context);
}

static void free_wish(struct bucket_wish *wish) {
    free((char *)(uintptr_t)wish->name);
    free(wish->reasons);
    *wish = (struct bucket_wish){0};
}

static void free_bucket(void *value) {
    struct stream_bucket *bucket = value;
    watch_remove(&bucket->watch);
    free_wish(&bucket->wish);
    free(bucket);
}

static struct stream_bucket *make(struct stream_buckets *buckets, const char *name) {
    struct stream_bucket *bucket = memory_allocate(sizeof *bucket);
    bucket->bucket = bucket_storage_bucket(buckets->storage, name, strlen(name));
    bucket->owner = buckets;
    bucket->position = (uintptr_t)map_remove(&buckets->positions, name);
    watch_add(&bucket->bucket->watches, &bucket->watch, bucket_changed, bucket);
    return bucket;
}

static int compare(const void *left, const void *right) {
    const struct stream_bucket *a = *(struct stream_bucket *const *)left;
    const struct stream_bucket *b = *(struct stream_bucket *const *)right;
    if (a->wish.priority != b->wish.priority)
        return a->wish.priority < b->wish.priority ? -1 : 1;
    return strcmp(a->wish.name, b->wish.name);
}

static void sort(struct stream_buckets *buckets) {
    struct map_entry *entry;
    buckets->count = 0;
    buckets->order = memory_resize(buckets->order, buckets->by_name.count + 1, sizeof *buckets->order);
    for (size_t i = 0; (entry = map_next(&buckets->by_name, &i));)
        buckets->order[buckets->count++] = entry->value;
    qsort(buckets->order, buckets->count, sizeof *buckets->order, compare); /* names differ: one order only */
}

static void remove_rest(struct map *rest, char ***removed, size_t *n_removed) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(rest, &i));) {
        const struct stream_bucket *bucket = entry->value;
        if (bucket->announced) {
            *removed = memory_resize(*removed, *n_removed + 1, sizeof **removed);
            (*removed)[(*n_removed)++] = memory_copy_text(entry->key);
        }
    }
    map_free(rest, free_bucket);
}

void stream_buckets_set(struct stream_buckets *buckets, struct bucket_wishes *wishes, char ***removed,
                        size_t *n_removed) {
    struct map before = buckets->by_name;
    struct map_entry *entry;
    buckets->by_name = (struct map){0};
    for (size_t i = 0; (entry = map_next(&wishes->by_name, &i));) {
        struct stream_bucket *bucket = map_remove(&before, entry->key);
        if (!bucket)
            bucket = make(buckets, entry->key);
        free_wish(&bucket->wish);
        bucket->wish = *(struct bucket_wish *)entry->value;
        free(entry->value);
        map_set(&buckets->by_name, entry->key, bucket);
    }
    map_free(&wishes->by_name, NULL);
    /* What the first checkpoint does not name the client throws away: if it comes back, it begins at 0. */
    map_free(&buckets->positions, NULL);
    remove_rest(&before, removed, n_removed);
    sort(buckets);
}

void stream_buckets_free(struct stream_buckets *buckets) {
    map_free(&buckets->by_name, free_bucket);
    map_free(&buckets->positions, NULL);
    free(buckets->order);
}

int stream_buckets_urgent(const struct stream_buckets *buckets) {
    for (size_t i = 0; i < buckets->count; i++)
        if (buckets->order[i]->in_turn)
            return buckets->order[i]->wish.priority;
    return -1;
}
